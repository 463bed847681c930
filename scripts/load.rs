//! Loads an HTTP/1.1 server over keep-alive connections and prints what it saw as JSON. `scripts/measure_http.py` compiles
//! it by itself (`rustc -O`): it needs no crate, and costs little beside what it measures.
//!
//! `load ADDRESS CONNECTIONS SECONDS`: requests come on standard input, each as its length in bytes on a line and then its
//! bytes (a token is no argument). Connection N sends the Nth of them again and again, each after the answer to the last.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing answers this late.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one connection saw.
#[derive(Default)]
struct Seen {
    micros: Vec<u32>,
    failed: usize,
    first_fault: Option<String>,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().expect("load ADDRESS CONNECTIONS SECONDS");
    let (address, connections, seconds) = (next(), next().parse().expect("a number"), next().parse().expect("a number"));
    let requests = Arc::new(requests());
    let start = Arc::new(Barrier::new(connections));
    let threads: Vec<_> = (0..connections)
        .map(|n| {
            let (address, requests, start) = (address.clone(), requests.clone(), start.clone());
            let work = move || drive(&address, &requests[n % requests.len()], &start, Duration::from_secs(seconds));
            thread::Builder::new().stack_size(128 * 1024).spawn(work).expect("a thread")
        })
        .collect();
    let began = Instant::now();
    let mut all = Seen::default();
    for thread in threads {
        let seen = thread.join().expect("a thread that ends");
        all.micros.extend(seen.micros);
        all.failed += seen.failed;
        all.first_fault = all.first_fault.or(seen.first_fault);
    }
    let took = began.elapsed().as_secs_f64();
    all.micros.sort_unstable();
    let at = |share: f64| all.micros.get(((all.micros.len() as f64 * share) as usize).min(all.micros.len().saturating_sub(1))).copied();
    let ms = |share: f64| f64::from(at(share).unwrap_or_default()) / 1000.0;
    println!(
        "{{\"requests\":{},\"seconds\":{took:.3},\"p50_ms\":{:.3},\"p99_ms\":{:.3},\"worst_ms\":{:.3},\"failed\":{},\"fault\":{:?}}}",
        all.micros.len(),
        ms(0.5),
        ms(0.99),
        ms(1.0),
        all.failed,
        all.first_fault.unwrap_or_default(),
    );
}

/// All requests on standard input.
fn requests() -> Vec<Vec<u8>> {
    let (mut input, mut all) = (std::io::stdin().lock(), Vec::new());
    loop {
        let mut length = String::new();
        if input.read_line(&mut length).expect("a length") == 0 {
            assert!(!all.is_empty(), "no request on standard input");
            return all;
        }
        let mut request = vec![0; length.trim().parse().expect("a length")];
        input.read_exact(&mut request).expect("a request");
        all.push(request);
    }
}

fn drive(address: &str, request: &[u8], start: &Barrier, time: Duration) -> Seen {
    let mut seen = Seen::default();
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut stream = BufReader::with_capacity(32 * 1024, stream);
    start.wait();
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        match once(&mut stream, request) {
            Ok(()) => seen.micros.push(asked.elapsed().as_micros() as u32),
            Err(fault) => {
                seen.failed += 1;
                seen.first_fault = Some(fault);
                break;
            }
        }
    }
    seen
}

/// One request and its whole answer, which must be a success of MCP and of the tool.
fn once(stream: &mut BufReader<TcpStream>, request: &[u8]) -> Result<(), String> {
    stream.get_mut().write_all(request).map_err(|error| error.to_string())?;
    let (mut line, mut length, mut chunked) = (String::new(), 0, false);
    let mut first = true;
    loop {
        line.clear();
        if stream.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Err("closed".into());
        }
        let line = line.trim_end();
        if first {
            if !line.starts_with("HTTP/1.1 200") {
                return Err(line.to_owned());
            }
            first = false;
            continue;
        }
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or("no header")?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_| "no length")?;
        }
        chunked |= name.eq_ignore_ascii_case("transfer-encoding");
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            line.clear();
            stream.read_line(&mut line).map_err(|error| error.to_string())?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| "no chunk")?;
            take(stream, &mut body, size + 2)?;
            if size == 0 {
                break;
            }
        }
    } else {
        take(stream, &mut body, length)?;
    }
    let has = |what: &[u8]| body.windows(what.len()).any(|part| part == what);
    if has(b"\"isError\":false") { Ok(()) } else { Err(String::from_utf8_lossy(&body).chars().take(200).collect()) }
}

fn take(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>, bytes: usize) -> Result<(), String> {
    let from = body.len();
    body.resize(from + bytes, 0);
    stream.read_exact(&mut body[from..]).map_err(|error| error.to_string())
}
