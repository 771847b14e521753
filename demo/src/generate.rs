//! Logs to try things on. The same arguments always give the same bytes, on every machine.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::cli::GenerateArgs;
use crate::entry::{Entry, Level};

const SERVICES: [&str; 6] = ["auth", "cart", "catalog", "payment", "search", "shipping"];

/// Writes `args.lines` lines.
pub fn write(mut out: impl Write, args: &GenerateArgs) -> io::Result<()> {
    let mut random = Random(args.seed);
    let mut ts = 1_767_225_600_000; // 2026-01-01
    let mut line = Vec::new();
    for number in 1..=args.lines {
        ts += random.below(40);
        line.clear();
        serde_json::to_writer(&mut line, &entry(ts, &mut random))?;
        if args.damage_every > 0 && number % args.damage_every == 0 {
            line.truncate(line.len() / 2);
        }
        line.push(b'\n');
        out.write_all(&line)?;
    }
    out.flush()
}

fn entry(ts: u64, random: &mut Random) -> Entry<'static> {
    let service = random.pick(&SERVICES);
    let level = match random.below(100) {
        0..2 => Level::Error,
        2..8 => Level::Warn,
        8..75 => Level::Info,
        _ => Level::Debug,
    };
    let user = random.below(100_000);
    let latency_us = latency(random);
    let msg = match level {
        Level::Error => {
            format!(
                "user {user}: upstream \"{}\" refused",
                random.pick(&SERVICES)
            )
        }
        Level::Warn => format!("user {user}: retry {} of 3", 1 + random.below(3)),
        Level::Info => {
            format!(
                "GET /{service}/item/{}?user={user} 200",
                random.below(1_000_000)
            )
        }
        Level::Trace | Level::Debug => format!("cache miss for user {user}"),
    };
    Entry {
        ts,
        level,
        service: Cow::Borrowed(service),
        msg: Cow::Owned(msg),
        latency_ms: (level >= Level::Info).then(|| f64::from(latency_us) / 1000.0),
    }
}

/// Microseconds with a long tail: each doubling is half as likely as the one before.
fn latency(random: &mut Random) -> u32 {
    let doublings = random.next().trailing_zeros().min(12);
    let base = 800 + u32::try_from(random.below(1600)).unwrap_or(0);
    base << doublings
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (`SplitMix64`), 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..limit`; slightly uneven, which does not matter here.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick(&mut self, names: &[&'static str; 6]) -> &'static str {
        names[usize::try_from(self.below(6)).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: u64, seed: u64, damage_every: u64) -> io::Result<String> {
        let mut out = Vec::new();
        write(
            &mut out,
            &GenerateArgs {
                lines,
                seed,
                damage_every,
                output: None,
            },
        )?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn the_same_seed_gives_the_same_log() -> io::Result<()> {
        assert_eq!(log(50, 7, 0)?, log(50, 7, 0)?);
        assert_ne!(log(50, 7, 0)?, log(50, 8, 0)?);
        Ok(())
    }

    #[test]
    fn every_line_is_an_entry_unless_damaged() -> io::Result<()> {
        let text = log(100, 1, 10)?;
        let bad = text
            .lines()
            .filter(|line| serde_json::from_str::<Entry<'_>>(line).is_err());
        assert_eq!((text.lines().count(), bad.count()), (100, 10));
        Ok(())
    }
}
