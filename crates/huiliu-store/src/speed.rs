//! temporary
use crate::testing::*;
use crate::*;
use arrow::array::*;
use huiliu_pipeline::ports::{LogWriter, Sink, Store, Stream};
use std::sync::Arc;
use std::time::Instant;

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn rss() -> String {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines()
        .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"))
        .map(|l| l.replace('\t', " "))
        .collect::<Vec<_>>()
        .join(" ")
}
fn timed<T>(what: &str, f: impl FnOnce() -> T) -> T {
    let (t, c) = (Instant::now(), cpu());
    let x = f();
    println!("{what}: wall {:?} cpu {:.2} {}", t.elapsed(), cpu() - c, rss());
    x
}
fn records(from: usize, n: usize, hashed: bool) -> RecordBatch {
    let id: Vec<String> = (from..from + n)
        .map(|i| {
            if hashed {
                format!("{:016x}", (i as u64).wrapping_mul(0x9e3779b97f4a7c15))
            } else {
                format!("P{i:09}")
            }
        })
        .collect();
    let mut cols: Vec<(String, ArrayRef)> = vec![("record_id".into(), Arc::new(StringArray::from(id)))];
    for c in 0..8 {
        let v: Vec<String> = (from..from + n).map(|i| format!("武进区某某项目{c}-{i}")).collect();
        cols.push((format!("field_{c}"), Arc::new(StringArray::from(v))));
    }
    for c in 0..5 {
        let v = Decimal128Array::from_iter_values((from..from + n).map(|i| i as i128 * 12345 + c))
            .with_precision_and_scale(18, 4)
            .unwrap();
        cols.push((format!("amount_{c}"), Arc::new(v)));
    }
    cols.push((
        "day".into(),
        Arc::new(Date32Array::from_iter_values((from..from + n).map(|i| (i % 20000) as i32))),
    ));
    cols.push(("_sheet".into(), Arc::new(StringArray::from(vec![""; n]))));
    cols.push(("_row".into(), Arc::new(Int64Array::from_iter_values((from..from + n).map(|i| i as i64)))));
    RecordBatch::try_from_iter(cols).unwrap()
}

#[test]
#[ignore]
fn speed() {
    let (_folder, store) = store();
    println!("start {}", rss());
    let n: usize = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    for hashed in [false, true] {
        let d = delivery(if hashed { "h" } else { "s" });
        let mut log = store.log(&d).unwrap();
        let batches: Vec<_> = (0..n / 8192).map(|b| records(b * 8192, 8192, hashed)).collect();
        timed("log append", || {
            for b in &batches {
                log.append(Stream::Records, b).unwrap()
            }
        });
        println!("bytes {}", log.size(Stream::Records).1);
        drop(batches);
        timed("log seal", || log.seal().unwrap());
        let seq = timed("commit", || store.commit(outcome(&d, log)).unwrap());
        timed("log read", || {
            store.read_log(seq, Stream::Records).unwrap().map(|b| b.unwrap().num_rows()).sum::<usize>()
        });
        let mut sink =
            store.register_sink(PIPELINE, "r", RegisterOptions::new(if hashed { "h" } else { "s" }));
        let e = store.delivery(&d.id).unwrap();
        timed("register", || sink.deliver(&e, &mut store.read_log(seq, Stream::Records).unwrap()).unwrap());
    }
    // again, unchanged
    let d = delivery("again");
    let mut log = store.log(&d).unwrap();
    for b in 0..n / 8192 {
        log.append(Stream::Records, &records(b * 8192, 8192, true)).unwrap()
    }
    log.seal().unwrap();
    let seq = store.commit(outcome(&d, log)).unwrap();
    let mut sink = store.register_sink(PIPELINE, "r", RegisterOptions::new("h"));
    let e = store.delivery(&d.id).unwrap();
    timed("register unchanged", || {
        sink.deliver(&e, &mut store.read_log(seq, Stream::Records).unwrap()).unwrap()
    });
    // quarantine
    let d = delivery("q");
    let mut log = store.log(&d).unwrap();
    for b in 0..10 {
        log.append(Stream::Rejects, &rejects(&(b * 5000..b * 5000 + 5000).collect::<Vec<_>>())).unwrap()
    }
    log.seal().unwrap();
    timed("commit 50k rejects", || store.commit(outcome(&d, log)).unwrap());
    let d = delivery("st");
    let mut c = outcome(&d, sealed(&store, &d, &[]));
    c.state = vec![(
        "p/dedup".into(),
        (0..n as u64)
            .map(|i| (i.wrapping_mul(0x9e3779b97f4a7c15).to_be_bytes().to_vec(), Some(vec![7; 16])))
            .collect(),
    )];
    timed("commit n states", || store.commit(c).unwrap());
    let d = delivery("st2");
    let mut c = outcome(&d, sealed(&store, &d, &[]));
    c.state = vec![(
        "p/dedup".into(),
        (n as u64..2 * n as u64)
            .map(|i| (i.wrapping_mul(0x9e3779b97f4a7c15).to_be_bytes().to_vec(), Some(vec![7; 16])))
            .collect(),
    )];
    timed("commit n states more", || store.commit(c).unwrap());
    timed("get n/2", || {
        for i in 0..n as u64 / 2 {
            store.state_get("p/dedup", &i.wrapping_mul(0x9e3779b97f4a7c15).to_be_bytes()).unwrap();
        }
    });
    timed("small deliveries x100", || {
        for i in 0..100 {
            let id = format!("d{i}");
            commit(&store, &id, &[(Stream::Records, records(0, 100, true))]).unwrap();
            store.advance(PIPELINE, "x", 1).unwrap();
            store.set_answered(&id, "x").unwrap();
        }
    });
    timed("find", || store.find_records("h", "武进区某某项目3-77", 5).unwrap().len());
}
