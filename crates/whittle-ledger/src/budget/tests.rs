//! Budgets over snapshots made by hand.

use super::*;
use crate::snapshot::tests::{said, snapshot};

fn limit(subject: Subject, bound: Bound) -> Limit {
    Limit {
        subject,
        bound,
        line: None,
    }
}

fn budget(limits: Vec<Limit>) -> Budget {
    Budget {
        limits,
        ..Budget::default()
    }
}

const TODAY: &str = "2026-11-25";

#[test]
fn a_limit_is_kept_up_to_its_last_byte() {
    let program = snapshot(&[said("app::main", "", 100), said("app::big", "", 300)]);
    let size = program.file.size;
    assert_eq!(size, 460);
    let check = |subject, bytes| {
        let budget = budget(vec![limit(subject, Bound::Bytes(bytes))]);
        budget
            .check(&program, None, TODAY)
            .expect("it can be checked")
    };
    for (subject, bytes) in [
        (Subject::Total, 460),
        (Subject::Crate("app".to_owned()), 460),
        (Subject::Kind("code".to_owned()), 400),
        (Subject::Section(".section".to_owned()), 460),
        (Subject::Section(".none".to_owned()), 0),
    ] {
        let kept = check(subject.clone(), bytes);
        assert!(kept.has_passed());
        assert_eq!(kept.verdicts[0].bytes, bytes, "{subject}");
        if bytes > 0 {
            let exceeded = check(subject, bytes - 1);
            assert!(!exceeded.has_passed());
            assert_eq!(exceeded.verdicts[0].culprits[0].name, "app::big");
        }
    }
}

#[test]
fn growth_is_counted_from_the_baseline_and_names_what_grew() {
    let before = snapshot(&[said("app::main", "", 970)]);
    let after = snapshot(&[said("app::main", "", 970), said("app::more", "", 70)]);
    let growth = Difference::of(&before, &after).expect("it adds up");
    let check =
        |bound| budget(vec![limit(Subject::Growth, bound)]).check(&after, Some(&growth), TODAY);
    // 100 of 1,000 bytes.
    assert!(
        check(Bound::Share(100_000))
            .expect("it can be checked")
            .has_passed()
    );
    let exceeded = check(Bound::Share(99_999)).expect("it can be checked");
    assert_eq!(exceeded.verdicts[0].culprits.len(), 1);
    assert_eq!(exceeded.verdicts[0].culprits[0].name, "app::more");
    assert_eq!(exceeded.verdicts[0].culprits[0].bytes, 100);
    let shrunk = Difference::of(&after, &before).expect("it adds up");
    let budget = budget(vec![limit(Subject::Growth, Bound::Bytes(0))]);
    assert!(
        budget
            .check(&before, Some(&shrunk), TODAY)
            .expect("it can be checked")
            .has_passed()
    );
    assert_eq!(
        budget.check(&after, None, TODAY),
        Err(BudgetError::NoBaseline)
    );
}

#[test]
fn an_override_ends_and_says_when_it_is_not_needed() {
    let program = snapshot(&[said("app::main", "", 100)]);
    let check = |bytes, to, until: &str| {
        let mut budget = budget(vec![limit(Subject::Total, Bound::Bytes(bytes))]);
        budget.overrides.push(Override {
            subject: Subject::Total,
            to: Bound::Bytes(to),
            reason: "the table goes next week".to_owned(),
            until: until.to_owned(),
        });
        budget
            .check(&program, None, TODAY)
            .expect("it can be checked")
    };
    let excused = check(100, 200, TODAY);
    assert!(excused.has_passed() && excused.notices.is_empty());
    assert!(matches!(
        &excused.verdicts[0].ruling,
        Ruling::Excused { to: 200, .. }
    ));
    let over = check(100, 200, "2026-11-24");
    assert!(!over.has_passed());
    assert!(over.notices[0].contains("ended on 2026-11-24"));
    assert!(!check(100, 120, TODAY).has_passed());
    let unneeded = check(130, 200, TODAY);
    assert!(unneeded.has_passed());
    assert!(unneeded.notices[0].contains("no longer needed"));
}

#[test]
fn what_cannot_be_checked_is_an_error() {
    let program = snapshot(&[said("app::main", "", 100)]);
    let error = |subject: &str, bound, measure| {
        let budget = Budget {
            measure,
            ..budget(vec![limit(subject.parse().expect("a subject"), bound)])
        };
        budget
            .check(&program, None, TODAY)
            .expect_err("it cannot be checked")
    };
    let bytes = Bound::Bytes(1);
    assert!(matches!(
        error("crate ap", bytes, Measure::File),
        BudgetError::UnknownCrate { known, .. } if known == ["app@0.1.0"]
    ));
    assert!(matches!(
        error("kind colour", bytes, Measure::File),
        BudgetError::UnknownKind { .. }
    ));
    assert!(matches!(
        error("total", Bound::Share(1), Measure::File),
        BudgetError::ShareOfNothing { .. }
    ));
    assert!(matches!(
        error("total", bytes, Measure::Compressed),
        BudgetError::NotCompressed { .. }
    ));
    assert!(matches!(
        error("crate app", bytes, Measure::Compressed),
        BudgetError::NotOfParts { .. }
    ));
    for wrong in ["", "crate", "colour red"] {
        assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
    }
}
