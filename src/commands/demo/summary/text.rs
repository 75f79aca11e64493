//! The summary for a terminal of 100 columns. Computes nothing.

use std::fmt::{self, Write as _};

use super::{Row, Summary};
use crate::commands::demo::scenes::wrapped;
use crate::commands::progress::count;

/// Columns of a line.
const WIDTH: usize = 98;
/// Candidates told of the explained decision.
const CHANCES: usize = 6;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nWHAT WAS FOUND")?;
        for sentence in self.found() {
            bullet(f, &sentence)?;
        }
        writeln!(f, "\nMARGIN PER DECISION, USD (the same {} visits past each strategy)", count(self.visits))?;
        writeln!(
            f,
            "\n  {:16} {:>9} {:>7} {:>8} {:>8} {:>8} {:>8} | {:>12}",
            "", "decisions", "orders", "earned", "expected", "best", "of best", "last quarter"
        )?;
        rows(f, "all placements", &self.strategies)?;
        for placed in &self.placements {
            rows(f, &placed.placement, &placed.strategies)?;
        }
        let note = "earned: measured, what the service booked from orders within the window, less refunds. \
        expected and \
                    best: computed from the world's truth, which the service never sees; best is showing every customer \
                    the best that the rules left.";
        for line in wrapped(note, WIDTH - 2) {
            writeln!(f, "  {line}")?;
        }
        self.time(f)?;
        self.rules(f)?;
        self.explanation(f)?;
        self.measured(f)
    }
}

fn bullet(f: &mut fmt::Formatter<'_>, sentence: &str) -> fmt::Result {
    for (at, line) in wrapped(sentence, WIDTH - 4).into_iter().enumerate() {
        writeln!(f, "  {} {line}", if at == 0 { "-" } else { " " })?;
    }
    Ok(())
}

fn rows(f: &mut fmt::Formatter<'_>, title: &str, rows: &[Row]) -> fmt::Result {
    writeln!(f, "  {title}")?;
    for row in rows {
        let (all, last) = (&row.all, &row.last_quarter);
        writeln!(
            f,
            "    {:14} {:>9} {:>6.1}% {:>8.3} {:>8.3} {:>8.3} {:>7.1}% | {:>11.1}%",
            short(&row.strategy),
            count(all.decisions),
            all.acceptance(),
            all.each(all.earned),
            all.each(all.expected),
            all.each(all.best),
            all.of_best(),
            last.of_best()
        )?;
    }
    Ok(())
}

fn short(name: &str) -> &str {
    name.get(..15).unwrap_or(name)
}

impl Summary {
    /// Acceptance and reward in each quarter of the story.
    fn time(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quarters = 4;
        writeln!(
            f,
            "\nOVER TIME, by quarter of the {} days: orders per 100 decisions, and share of the best",
            self.days
        )?;
        for row in &self.strategies {
            write!(f, "    {:14}", short(&row.strategy))?;
            let mut shares = String::new();
            for quarter in 0..quarters {
                let (from, to) = (quarter * row.periods.len() / quarters, (quarter + 1) * row.periods.len() / quarters);
                let mut sums = super::Sums::default();
                row.periods.get(from..to).unwrap_or_default().iter().for_each(|period| sums.add(period));
                write!(f, " {:>6.1}", sums.acceptance())?;
                let _ = write!(shares, " {:>5.0}%", sums.of_best());
            }
            writeln!(f, "  | {shares}")?;
        }
        Ok(())
    }

    fn rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nLEFT OUT, by rule (of the shop's own decisions)")?;
        for (rule, excluded) in &self.exclusions {
            writeln!(
                f,
                "  {rule:26} {:>9} candidates in {:>7} decisions",
                count(excluded.candidates),
                count(excluded.decisions)
            )?;
        }
        let holdout: usize = self.strategies.first().map_or(0, |row| row.all.holdout);
        let impersonal: usize = self.strategies.first().map_or(0, |row| row.all.impersonal);
        let nothing: usize = self.strategies.first().map_or(0, |row| row.all.nothing);
        if !self.silent.is_empty() {
            bullet(f, &format!("Never had to speak: {}.", self.silent.join(", ")))?;
        }
        bullet(
            f,
            &format!(
                "{} decisions were made from the context alone, because consent was lacking; {} were for held-out \
                 customers, who always get the house content; {} showed nothing, because that was drawn.",
                count(impersonal),
                count(holdout),
                count(nothing)
            ),
        )
    }

    fn explanation(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explained = &self.explained;
        writeln!(f, "\nONE DECISION, EXPLAINED ({})", explained.decision_id)?;
        // What the service says before it comes to single candidates; those follow in order.
        for sentence in explained.opening() {
            bullet(f, sentence)?;
        }
        for chance in explained.chances.iter().take(CHANCES) {
            let bar = "#".repeat(bar(chance.probability));
            let mark = if chance.shown { " <- shown" } else { "" };
            writeln!(f, "    {:28} {:>5.1}% {bar}{mark}", chance.candidate, 100.0 * chance.probability)?;
        }
        let rest = explained.chances.get(CHANCES..).unwrap_or_default();
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|chance| chance.probability).sum();
            writeln!(f, "    {:28} {:>5.1}%", format!("{} others", rest.len()), 100.0 * sum)?;
        }
        for left_out in &explained.left_out {
            bullet(f, &format!("Left out: {}: {}", left_out.offers.join(", "), left_out.sentence))?;
        }
        bullet(f, &format!("Decided again, from its record and from the model as it was: {}.", explained.again))?;
        bullet(f, &self.log)
    }

    fn measured(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measured = &self.measured;
        writeln!(f, "\nMEASURED")?;
        bullet(
            f,
            &format!(
                "{} decisions over HTTP from {} clients at once, each answered once its record was on disk: \
                 {:.0} a second, \
                 half of them within {:.1} ms, 99 of 100 within {:.1} ms.",
                count(measured.decisions),
                measured.clients,
                measured.decisions_per_second,
                measured.p50_ms,
                measured.p99_ms
            ),
        )?;
        bullet(
            f,
            &format!(
                "{} events came back by signed webhooks while it decided: {} of them twice, {} orders behind their own \
                 refund, {} refunds; {} consents were withdrawn. All of it took {:.0} s.",
                count(measured.events),
                count(measured.duplicates),
                count(measured.reordered),
                count(measured.refunds),
                count(measured.withdrawals),
                measured.seconds
            ),
        )
    }
}

/// Length of a bar, one letter for two percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probability")]
fn bar(probability: f64) -> usize {
    (probability.clamp(0.0, 1.0) * 50.0).round() as usize
}
