#!/bin/sh
# Boots systemd as process 1 of a machine made of this one: the same files, and what is written goes to memory.
#   boot.sh DIR      with DIR/root as its root; prints systemd's log until it is killed
set -eu
dir=$1
mount -t tmpfs -o mode=755,size=1g none "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root" "$dir/cgroup"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
# A group of our own, or the machine would see everybody else's processes.
mount -t cgroup2 none "$dir/cgroup"
mkdir -p "$dir/cgroup/box-$$"
echo $$ >"$dir/cgroup/box-$$/cgroup.procs"
# shellcheck disable=SC2016 # the second shell expands it
exec unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child --propagation private sh -euc '
root=$1
hostname box
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do : >"$root/dev/$name" && mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
ip link set lo up
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
mkdir -p "$root/run/systemd/system"
# Images forbid services to start; a machine does not. Nobody reads manuals in the box.
rm -f "$root/usr/sbin/policy-rc.d" "$root/var/lib/man-db/auto-update"
# No more than a journal: nothing that this machine starts is to start twice, and the kernel is not to be set up again.
for unit in "$root"/lib/systemd/system/*.target.wants/* "$root"/etc/systemd/system/*.target.wants/*; do
    case ${unit##*/} in *.target | systemd-journal*) ;; *) ln -sfn /dev/null "$root/run/systemd/system/${unit##*/}" ;; esac
done
printf "[Unit]\nRequires=systemd-journald.service\nAfter=systemd-journald.service\n" >"$root/run/systemd/system/box.target"
exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /lib/systemd/systemd --system --unit=box.target \
    --log-target=journal --log-level=info --show-status=no
' sh "$dir/root"
