/* memcpy and memmove for x86-64 in place of musl's, which are string instructions: those take longer to begin than most copies last.
 * Up to 128 bytes all is read before anything is written; more goes 32 bytes at a time. Any x86-64 can run it.
 *
 * With -DTRY it is a program that holds both against a copy byte by byte: every length, distance and alignment up to some. */

typedef unsigned char u8;
typedef __SIZE_TYPE__ size;
typedef struct { unsigned v; } __attribute__((packed, may_alias)) u32;
typedef struct { unsigned long long v; } __attribute__((packed, may_alias)) u64;
typedef long long u128 __attribute__((vector_size(16), aligned(1), may_alias));

#define GET(type, at) (*(const type *)(at))
#define PUT(type, at, what) (*(type *)(at) = (what))

static inline __attribute__((always_inline)) void few(u8 *to, const u8 *from, size n)
{
	if (n > 64) {
		u128 a = GET(u128, from), b = GET(u128, from + 16), c = GET(u128, from + 32), d = GET(u128, from + 48);
		u128 w = GET(u128, from + n - 64), x = GET(u128, from + n - 48), y = GET(u128, from + n - 32), z = GET(u128, from + n - 16);
		PUT(u128, to, a), PUT(u128, to + 16, b), PUT(u128, to + 32, c), PUT(u128, to + 48, d);
		PUT(u128, to + n - 64, w), PUT(u128, to + n - 48, x), PUT(u128, to + n - 32, y), PUT(u128, to + n - 16, z);
	} else if (n > 32) {
		u128 a = GET(u128, from), b = GET(u128, from + 16), y = GET(u128, from + n - 32), z = GET(u128, from + n - 16);
		PUT(u128, to, a), PUT(u128, to + 16, b), PUT(u128, to + n - 32, y), PUT(u128, to + n - 16, z);
	} else if (n >= 16) {
		u128 a = GET(u128, from), z = GET(u128, from + n - 16);
		PUT(u128, to, a), PUT(u128, to + n - 16, z);
	} else if (n >= 8) {
		u64 a = GET(u64, from), z = GET(u64, from + n - 8);
		PUT(u64, to, a), PUT(u64, to + n - 8, z);
	} else if (n >= 4) {
		u32 a = GET(u32, from), z = GET(u32, from + n - 4);
		PUT(u32, to, a), PUT(u32, to + n - 4, z);
	} else if (n) {
		u8 a = from[0], m = from[n / 2], z = from[n - 1];
		to[0] = a, to[n / 2] = m, to[n - 1] = z;
	}
}

/* From the first byte on: also for a target that begins below its source. */
static inline __attribute__((always_inline)) void upwards(u8 *to, const u8 *from, size n)
{
	u8 *end = to + n;
	u128 y = GET(u128, from + n - 32), z = GET(u128, from + n - 16);
	for (; n > 32; n -= 32, to += 32, from += 32) {
		u128 a = GET(u128, from), b = GET(u128, from + 16);
		PUT(u128, to, a), PUT(u128, to + 16, b);
	}
	PUT(u128, end - 32, y), PUT(u128, end - 16, z);
}

/* From the last byte on. */
static inline __attribute__((always_inline)) void downwards(u8 *to, const u8 *from, size n)
{
	u128 a = GET(u128, from), b = GET(u128, from + 16);
	for (; n > 32; n -= 32) {
		u128 y = GET(u128, from + n - 32), z = GET(u128, from + n - 16);
		PUT(u128, to + n - 32, y), PUT(u128, to + n - 16, z);
	}
	PUT(u128, to, a), PUT(u128, to + 16, b);
}

void *memcpy(void *restrict to, const void *restrict from, size n)
{
	if (n <= 128) few(to, from, n);
	else upwards(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size n)
{
	if (n <= 128) few(to, from, n);
	else if ((size)to - (size)from >= n) upwards(to, from, n);
	else downwards(to, from, n);
	return to;
}

#ifdef TRY
#include <stdio.h>

enum { LONGEST = 700, ROOM = 3 * LONGEST };

static int fails(int at, int from, size n, void *(*copy)(void *, const void *, size))
{
	static u8 is[ROOM], want[ROOM];
	for (int i = 0; i < ROOM; i++) is[i] = want[i] = (u8)(i * 7 + i / 251);
	for (size i = 0; i < n; i++) want[at + i] = (u8)((from + i) * 7 + (from + i) / 251);
	void *said = copy(is + at, is + from, n);
	int wrong = said != is + at;
	for (int i = 0; i < ROOM; i++) wrong |= is[i] != want[i];
	if (wrong) fprintf(stderr, "wrong: %zu bytes from %d to %d\n", n, from, at);
	return wrong;
}

int main(void)
{
	int tried = 0;
	for (size n = 0; n <= LONGEST; n += n < 300 ? 1 : 37)
		for (int shift = 0; shift < 17; shift += 4) {
			if (fails(LONGEST + shift, 3, n, memcpy) || fails(1, LONGEST + 17 + shift, n, memcpy)) return 1;
			for (int far = -130; far <= 130; far += far > -35 && far < 35 ? 1 : 13, tried++)
				if (fails(LONGEST + shift + far, LONGEST + shift, n, memmove)) return 1;
		}
	printf("%d moves are right\n", tried);
	return tried < 100000;
}
#endif
