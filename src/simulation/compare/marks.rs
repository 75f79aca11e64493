//! What three choices that learn nothing earn: uniform, the best fixed one, an oracle. Finds none of them.

/// What three choices earn in one event, or in the mean of several.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Marks {
    /// A candidate picked at random.
    pub uniform: f64,
    /// The first candidate of the best fixed order.
    pub best_fixed: f64,
    /// The candidate that earned most.
    pub oracle: f64,
}

impl Marks {
    /// The mean of several events; zeros where there is none.
    pub fn mean<'a>(marks: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut number, mut sum) = (0.0, Self::default());
        for mark in marks {
            number += 1.0;
            sum.uniform += mark.uniform;
            sum.best_fixed += mark.best_fixed;
            sum.oracle += mark.oracle;
        }
        let number = f64::max(number, 1.0);
        Self { uniform: sum.uniform / number, best_fixed: sum.best_fixed / number, oracle: sum.oracle / number }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are far below 2^53")]
pub(in crate::simulation) fn float(number: usize) -> f64 {
    number as f64
}
