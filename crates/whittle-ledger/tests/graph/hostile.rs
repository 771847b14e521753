//! Damaged programs: the graph adds up, whatever the bytes.

use proptest::prelude::*;
use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Graph, Ledger, Witnesses, forecasts};

use crate::programs::programs;

fn assert_adds_up(bytes: &[u8]) {
    let Ok(image) = Image::parse(bytes) else {
        return;
    };
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references).expect("it adds up");
    let graph = Graph::of(&ledger).expect("it adds up");
    let most = graph.shares().reachable + graph.shares().unreachable;
    for forecast in forecasts(&graph, None) {
        let leaving = forecast.leaving;
        assert!(leaving.shallow <= leaving.retained && leaving.retained <= most);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn damaged_programs_add_up(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..400),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = programs()[1].bytes.clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        assert_adds_up(&bytes);
        bytes.truncate(end.index(bytes.len()));
        assert_adds_up(&bytes);
    }
}
