//! What comes of an accepted offer: its order, perhaps a refund, and when the shop's webhooks tell of them. Decides
//! neither offer nor acceptance.

use super::crowd::{Luck, Step};
use super::world::{Delay, World};
use crate::domain::{Offer, Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// It was ordered.
    Order,
    /// All or a part of the order was sent back.
    Refund,
}

/// One event of an order, once for each time that the service is told of it. Money is in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening {
    /// What.
    pub what: Happened,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When the service is told.
    pub arrives_at: Timestamp,
    /// Paid, or given back.
    pub revenue_minor: i64,
    /// Margin of it.
    pub margin_minor: i64,
    /// It was told before: the second message of the same event.
    pub again: bool,
}

const HOUR_MS: f64 = 3_600_000.0;
/// What is sent twice arrives again after this.
const AGAIN_MS: i64 = 60_000;
/// What is held up arrives so much after the last event.
const HELD_UP_MS: i64 = 3_600_000;
/// Nothing takes longer: a year.
const LONGEST_HOURS: f64 = 8_760.0;

impl World {
    /// What comes of it when an offer is accepted at a step, in the order in which the service is told. What happens
    /// follows from the luck of the step alone.
    pub fn happenings(&self, offer: &Offer, step: &Step) -> Vec<Happening> {
        let (orders, luck) = (&self.orders, &step.luck);
        let ordered_at = later(step.at, self.delay_of(&offer.offer_id), luck.delay);
        let order = Happening {
            what: Happened::Order,
            occurred_at: ordered_at,
            arrives_at: ordered_at,
            revenue_minor: offer.net_price_minor(),
            margin_minor: moved(offer.margin_minor(), orders.margin_spread * luck.margin),
            again: false,
        };
        let refund = (luck.refund < orders.refunded).then(|| self.refund(&order, luck));
        let mut order = order;
        if luck.out_of_order < orders.out_of_order {
            order.arrives_at = Timestamp(refund.map_or(ordered_at, |refund| refund.arrives_at).0 + HELD_UP_MS);
        }
        let again = (luck.twice < orders.sent_twice).then(|| Happening {
            arrives_at: Timestamp(order.arrives_at.0 + AGAIN_MS),
            again: true,
            ..order
        });
        let mut told: Vec<Happening> = [Some(order), refund, again].into_iter().flatten().collect();
        told.sort_by_key(|happening| (happening.arrives_at, happening.what, happening.again));
        told
    }

    fn refund(&self, order: &Happening, luck: &Luck) -> Happening {
        let refunds = &self.orders.refunds;
        let part = if luck.partial < refunds.partial { refunds.part } else { 1.0 };
        let at = later(order.occurred_at, refunds.delay, luck.refund_delay);
        Happening {
            what: Happened::Refund,
            occurred_at: at,
            arrives_at: at,
            revenue_minor: share(order.revenue_minor, part),
            margin_minor: share(order.margin_minor, part),
            again: false,
        }
    }
}

/// The instant after a delay that luck has drawn.
#[expect(clippy::cast_possible_truncation, reason = "a year in milliseconds")]
fn later(at: Timestamp, delay: Delay, (at_once, normal): (f64, f64)) -> Timestamp {
    if at_once < delay.at_once {
        return at;
    }
    let hours = (delay.median_hours * libm::exp(delay.spread * normal)).min(LONGEST_HOURS);
    Timestamp(at.0 + (hours * HOUR_MS).round() as i64)
}

/// A margin that chance has moved by a relative amount.
fn moved(minor: i64, by: f64) -> i64 {
    share(minor, 1.0 + by)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "money of one order is small")]
fn share(minor: i64, of: f64) -> i64 {
    (minor as f64 * of).round() as i64
}

#[cfg(test)]
mod tests {
    use super::super::Crowd;
    use super::*;

    fn steady() -> World {
        World::parse(include_str!("../../simulators/steady.yaml")).unwrap()
    }

    fn told(world: &World, luck: impl FnOnce(&mut Luck)) -> Vec<Happening> {
        let mut step = Crowd::new(world, 1).visit(world, 0).steps.remove(0);
        step.at = Timestamp(0);
        step.luck = Luck {
            accept: 0.0,
            margin: 0.0,
            refund: 0.99,
            twice: 0.99,
            out_of_order: 0.99,
            partial: 0.99,
            delay: (0.99, 0.0),
            refund_delay: (0.99, 0.0),
        };
        luck(&mut step.luck);
        world.happenings(&world.offers[0].offer, &step)
    }

    #[test]
    fn an_order_comes_at_once_or_after_its_delay() {
        let mut world = steady();
        let order = told(&world, |_| ())[0];
        let offer = &world.offers[0].offer;
        assert_eq!((order.occurred_at, order.arrives_at), (Timestamp(0), Timestamp(0)));
        assert_eq!((order.revenue_minor, order.margin_minor), (offer.net_price_minor(), offer.margin_minor()));
        world.orders.delay = Delay { at_once: 0.6, median_hours: 5.0, spread: 1.0 };
        assert_eq!(told(&world, |luck| luck.delay = (0.5, 1.0))[0].occurred_at, Timestamp(0));
        assert_eq!(told(&world, |_| ())[0].occurred_at, Timestamp(5 * 3_600_000));
        let late = told(&world, |luck| luck.delay = (0.7, 1.0))[0].occurred_at.0;
        assert_eq!(late, 48_929_073, "5 e hours");
        assert_eq!(told(&world, |luck| luck.margin = -2.0)[0].margin_minor, 980, "15 % twice under 14.00");
    }

    #[test]
    fn a_refund_gives_back_all_or_a_part_and_what_is_held_up_arrives_behind_it() {
        let mut world = steady();
        world.orders.refunded = 1.0;
        world.orders.refunds.delay = Delay { at_once: 0.0, median_hours: 48.0, spread: 0.0 };
        let all = told(&world, |_| ());
        assert_eq!(all[1].what, Happened::Refund);
        assert_eq!((all[1].occurred_at.0, all[1].revenue_minor), (48 * 3_600_000, all[0].revenue_minor));
        world.orders.refunds.partial = 1.0;
        assert_eq!(told(&world, |_| ())[1].margin_minor * 2, all[0].margin_minor);
        (world.orders.out_of_order, world.orders.sent_twice) = (1.0, 1.0);
        let order: Vec<_> = told(&world, |_| ()).iter().map(|one| (one.what, one.again)).collect();
        assert_eq!(order, [(Happened::Refund, false), (Happened::Order, false), (Happened::Order, true)]);
    }
}
