//! What one file costs the gate: opening it, walking its boxes, reading and judging its sample table.
//!
//! `cargo bench -p pinpress-probe --bench gate`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{Source, Spec, check};

fn gate(criterion: &mut Criterion) {
    let Ok(path) = pinpress_fixtures::make("conforming-9x16.mp4") else { return };
    let Ok(spec) = Spec::load("pinterest") else { return };
    let mut group = criterion.benchmark_group("gate");
    group.bench_function("open one file", |bencher| {
        bencher.iter(|| {
            let source = Source::open(black_box(&path));
            source.is_ok_and(|source| !source.is_empty())
        });
    });
    group.bench_function("read and judge one file", |bencher| {
        bencher.iter(|| {
            let source = Source::open(black_box(&path)).ok()?;
            let Ok(Decision::Facts(info)) = sample_table::read(&source) else { return None };
            Some(check(&info, &spec).passes())
        });
    });
    group.finish();
}

criterion_group!(benches, gate);
criterion_main!(benches);
