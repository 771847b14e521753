//! Searches in which each candidate is a whole build.

use super::*;
use crate::facts::FileFormat;

fn whole() -> Facts {
    Facts {
        link_trials: LinkTrials::WholeBuild,
        ..facts()
    }
}

fn search(program: &Program, facts: &Facts, policy: &Policy) -> Search {
    search_from(Vec::new(), program, facts, policy, &[])
}

#[test]
fn each_candidate_is_one_build_and_nothing_is_linked_again() {
    let policy = Policy {
        max_slowdown: 0.15,
        min_glibc: "2.36".parse().ok(),
        ..policy()
    };
    let search = search(&USUAL, &whole(), &policy);
    assert_eq!(
        search.builds(),
        [
            "opt-level=s lto=fat codegen-units=1 panic=abort strip=symbols",
            "opt-level=z lto=fat codegen-units=1 panic=abort strip=symbols",
            "opt-level=s lto=fat codegen-units=1 panic=abort strip=symbols icf=all pack-relocations=relr \
             link-optimization=2 eh-frame-hdr=none",
        ]
    );
    assert!(
        search
            .records
            .iter()
            .all(|record| record.trial.step != Step::Link)
    );
    let winner = search.recommended.clone().expect("the third");
    assert_eq!(winner.get("pack-relocations"), Some("relr"));
    assert_eq!(winner.get("opt-level"), Some("s"));
}

#[test]
fn a_level_for_one_package_is_not_tried_where_it_cannot_be_said() {
    let of_package = |facts: &Facts| {
        let builds = search(&USUAL, facts, &policy()).builds();
        let of_package = builds
            .iter()
            .filter(|build| build.contains("own-opt-level"));
        of_package.count()
    };
    assert_eq!(of_package(&whole()), 2, "`s` is too slow");
    let by_environment = Facts {
        package_keys: false,
        ..whole()
    };
    assert_eq!(of_package(&by_environment), 0);
}

#[test]
fn what_does_not_start_is_tried_without_the_last_of_the_linkers_settings() {
    let program = Program {
        starts: |settings| settings.get("eh-frame-hdr").is_none(),
        ..USUAL
    };
    let policy = Policy {
        min_glibc: "2.36".parse().ok(),
        workloads: Exercised::No,
        ..policy()
    };
    let search = search(&program, &whole(), &policy);
    assert_eq!(search.builds().len(), 5, "{:#?}", search.builds());
    let winner = search.recommended.clone().expect("without that");
    assert_eq!(winner.get("icf"), Some("all"));
    assert_eq!(winner.get("eh-frame-hdr"), None);
    assert_eq!(winner.get("opt-level"), None, "speed is not measured");
}

#[test]
fn a_program_that_lives_on_after_panics_is_built_without_aborting() {
    let program = Program {
        behaves: |settings| settings.get("panic").is_none(),
        ..USUAL
    };
    let search = search(&program, &whole(), &policy());
    let winner = search.recommended.clone().expect("without it");
    assert_eq!(winner.get("panic"), None);
    assert_eq!(winner.get("lto"), Some("fat"));
    assert!(search.builds().len() <= 8, "{:#?}", search.builds());
}

#[test]
fn of_an_archive_only_what_is_compiled_is_tried() {
    let facts = Facts {
        format: FileFormat::Archive,
        ..whole()
    };
    let policy = Policy {
        goal: Goal::Smallest,
        ..policy()
    };
    let search = search(&USUAL, &facts, &policy);
    for record in &search.records {
        let settings = &record.trial.settings;
        assert!(settings.linked().is_empty(), "{settings}");
    }
    assert_eq!(
        search.recommended(),
        "opt-level=z lto=fat codegen-units=1 panic=abort"
    );
}

#[test]
fn a_quick_search_is_one_build_and_a_check() {
    let policy = Policy {
        effort: Effort::Quick,
        workloads: Exercised::No,
        ..policy()
    };
    let search = search(&USUAL, &whole(), &policy);
    assert_eq!(search.builds(), ["lto=fat codegen-units=1 strip=symbols"]);
    assert!(search.recommended.is_some());
    assert_eq!(search.records.len(), 3);
}
