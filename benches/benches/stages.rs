//! One benchmark for each stage of the pipeline, on this benchmark's own executable or on the file that
//! `WHITTLE_BENCH_FILE` names (with the link map in `WHITTLE_BENCH_MAP`, if there is one).

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whittle_code::References;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Axis, Findings, Graph, Ledger, Request, Table, Witnesses, forecasts};
use whittle_names::Name;

fn stages(criterion: &mut Criterion) {
    let path = std::env::var_os("WHITTLE_BENCH_FILE")
        .map(std::path::PathBuf::from)
        .or_else(|| std::env::current_exe().ok())
        .expect("there is a file to measure on");
    let bytes = std::fs::read(&path).expect("the file can be read");
    let image = Image::parse(&bytes).expect("the file is an ELF file");
    let map = std::env::var_os("WHITTLE_BENCH_MAP")
        .map(|path| std::fs::read(path).expect("the map can be read"));
    let link_map = map
        .as_deref()
        .map(|map| LinkMap::parse(map).expect("the map is a link map"));
    let witnesses = Witnesses {
        link_map: link_map.as_ref(),
        ..Witnesses::none()
    };
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &witnesses, &references).expect("the ledger adds up");

    let mut group = criterion.benchmark_group("stages");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(image.file_len()));
    group.bench_function("image", |bencher| {
        bencher.iter(|| Image::parse(black_box(&bytes)));
    });
    if let Some(map) = &map {
        group.bench_function("link map", |bencher| {
            bencher.iter(|| LinkMap::parse(black_box(map)));
        });
    }
    let names: Vec<&str> = image
        .symbol_tables
        .iter()
        .flat_map(|table| &table.symbols)
        .filter_map(|symbol| std::str::from_utf8(symbol.name).ok())
        .collect();
    group.bench_function("names", |bencher| {
        bencher.iter(|| {
            for name in &names {
                black_box(
                    Name::parse(name)
                        .map(|name| (name.defining_crate(), name.instantiating_crate())),
                );
            }
        });
    });
    group.bench_function("references", |bencher| {
        bencher.iter(|| References::find(black_box(&image)));
    });
    let references = References::find(&image);
    group.bench_function("references by target", |bencher| {
        bencher.iter(|| black_box(&references).incoming());
    });
    group.bench_function("ledger", |bencher| {
        bencher.iter(|| Ledger::build(black_box(&image), &witnesses, &references));
    });
    group.bench_function("graph", |bencher| {
        bencher.iter(|| Graph::of(black_box(&ledger)));
    });
    let graph = Graph::of(&ledger).expect("the graph adds up");
    group.bench_function("forecasts", |bencher| {
        bencher.iter(|| forecasts(black_box(&graph), None));
    });
    group.bench_function("table by crate", |bencher| {
        bencher.iter(|| Table::of(black_box(&ledger), &[Axis::Crate]));
    });
    group.bench_function("table by function", |bencher| {
        bencher.iter(|| Table::of(black_box(&ledger), &[Axis::Function]));
    });
    group.bench_function("findings", |bencher| {
        bencher.iter(|| Findings::of(black_box(&ledger), &Request::default()));
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
