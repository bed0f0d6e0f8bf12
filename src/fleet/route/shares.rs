//! What weights mean. They are relative everywhere, and everything else about them differs:
//!
//! | | omitted | one destination | all zero | largest |
//! |---|---|---|---|---|
//! | Istio | 0 | gets everything | refused by its webhook | int32; Envoy takes a sum of 2³²−1 |
//! | Gateway API | 1 | gets everything, unless its weight is 0 | every request fails | 1,000,000 |
//! | DNS (Route 53) | not weighted | gets everything | equal shares | 255 |
//!
//! Sources: istio/api `virtual_service.proto` (RouteDestination), istio `validation.go`
//! (validateRouteDestinations); gateway-api `shared_types.go` (BackendRef.Weight); Amazon Route 53, "Weighted
//! routing".

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fleet::Clean;

/// Whose rules weights follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Weighing {
    Istio,
    Gateway,
    Dns,
}

/// A weight as it was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Weight {
    Omitted,
    Written(i64),
    /// Not a number that could be a weight, in words.
    Odd(String),
}

/// How the weights of one API count.
#[derive(Debug)]
pub(super) struct Scale {
    pub omitted: i64,
    pub largest: i64,
    largest_sum: i64,
    /// A single destination gets everything, whatever its weight.
    single_is_all: bool,
    zeros_are_equal: bool,
}

impl Weighing {
    pub(super) fn scale(self) -> &'static Scale {
        match self {
            Self::Istio => &ISTIO,
            Self::Gateway => &GATEWAY,
            Self::Dns => &DNS,
        }
    }
}

static ISTIO: Scale = Scale {
    omitted: 0,
    largest: i32::MAX as i64,
    largest_sum: u32::MAX as i64,
    single_is_all: true,
    zeros_are_equal: false,
};

static GATEWAY: Scale = Scale {
    omitted: 1,
    largest: 1_000_000,
    largest_sum: i64::MAX,
    single_is_all: false,
    zeros_are_equal: false,
};

static DNS: Scale =
    Scale { omitted: 0, largest: 255, largest_sum: i64::MAX, single_is_all: true, zeros_are_equal: true };

impl Weight {
    /// A number in JSON.
    pub(super) fn number(value: Option<&Value>) -> Self {
        match value {
            None => Self::Omitted,
            Some(Value::Number(number)) => {
                number.as_i64().map_or_else(|| Self::Odd(number.to_string()), Self::Written)
            }
            // Istio's own validation lets this pass, and Envoy refuses what is made of it (istio#36021).
            Some(Value::Null) => Self::Odd("null".into()),
            Some(Value::String(text)) => Self::Odd(format!("the text \"{text}\"")),
            Some(Value::Bool(_)) => Self::Odd("true or false".into()),
            Some(Value::Array(_)) => Self::Odd("a list".into()),
            Some(Value::Object(_)) => Self::Odd("an object".into()),
        }
    }

    /// A number in a text.
    pub(super) fn text(value: &Value) -> Self {
        let Some(text) = value.as_str() else { return Self::number(Some(value)).odd() };
        text.parse().map_or_else(|_| Self::Odd(format!("\"{text}\"")), Self::Written)
    }

    fn odd(self) -> Self {
        match self {
            Self::Written(number) => Self::Odd(format!("{number}, which is not a text")),
            Self::Omitted => Self::Odd("nothing".into()),
            odd @ Self::Odd(_) => odd,
        }
    }

    pub(super) fn written(&self) -> Option<i64> {
        match self {
            Self::Written(number) => Some(*number),
            Self::Omitted | Self::Odd(_) => None,
        }
    }
}

/// The shares, in order, or why there are none. They are between 0 and 1 and their sum is 1.
pub(super) fn shares(weights: &[Weight], weighing: Weighing) -> Result<Vec<f64>, Clean> {
    let scale = weighing.scale();
    let mut counted = Vec::with_capacity(weights.len());
    for (weight, number) in weights.iter().zip(1..) {
        let value = match weight {
            Weight::Omitted => scale.omitted,
            Weight::Written(value) => *value,
            Weight::Odd(words) => return Err(format!("weight {number} is {words}").into()),
        };
        if value < 0 {
            return Err(format!("weight {number} is negative: {value}").into());
        }
        if value > scale.largest {
            return Err(format!("weight {number} is {value}, more than {}", scale.largest).into());
        }
        counted.push(value);
    }
    let sum: i64 = counted.iter().fold(0, |sum: i64, value| sum.saturating_add(*value));
    if sum > scale.largest_sum {
        return Err(format!("the weights add up to {sum}, more than a proxy takes").into());
    }
    match (counted.len(), sum) {
        (0, _) => Err("it has no destination".into()),
        (1, _) if scale.single_is_all => Ok(vec![1.0]),
        (count, 0) if scale.zeros_are_equal => Ok(vec![1.0 / count as f64; count]),
        (_, 0) => Err("all weights are 0".into()),
        _ => Ok(counted.iter().map(|value| *value as f64 / sum as f64).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn of(weights: &[Option<Value>], weighing: Weighing) -> Result<Vec<f64>, String> {
        let weights: Vec<_> = weights.iter().map(|it| Weight::number(it.as_ref())).collect();
        shares(&weights, weighing).map_err(|why| why.to_string())
    }

    #[test]
    fn an_omitted_weight_is_not_the_same_everywhere() {
        let (set, omitted) = (Some(json!(3)), None);
        assert_eq!(of(&[set.clone(), omitted.clone()], Weighing::Istio), Ok(vec![1.0, 0.0]));
        assert_eq!(of(&[set, omitted.clone()], Weighing::Gateway), Ok(vec![0.75, 0.25]));
        assert_eq!(of(&[omitted.clone(), omitted.clone()], Weighing::Istio), Err("all weights are 0".into()));
        assert_eq!(of(&[omitted.clone(), omitted.clone()], Weighing::Gateway), Ok(vec![0.5, 0.5]));
        assert_eq!(of(&[omitted.clone(), omitted], Weighing::Dns), Ok(vec![0.5, 0.5]));
    }

    #[test]
    fn a_single_destination_gets_everything_unless_gateway_api_says_none() {
        for weight in [None, Some(json!(0)), Some(json!(7))] {
            assert_eq!(of(std::slice::from_ref(&weight), Weighing::Istio), Ok(vec![1.0]));
        }
        assert_eq!(of(&[None], Weighing::Gateway), Ok(vec![1.0]));
        assert_eq!(of(&[Some(json!(0))], Weighing::Gateway), Err("all weights are 0".into()));
        assert_eq!(of(&[], Weighing::Gateway), Err("it has no destination".into()));
    }

    #[test]
    fn what_is_not_a_weight_is_named_and_never_zero() {
        for (weight, why) in [
            (json!(null), "weight 2 is null"),
            (json!("60"), "weight 2 is the text \"60\""),
            (json!(-1), "weight 2 is negative: -1"),
            (json!(12.5), "weight 2 is 12.5"),
            (json!(i64::MAX), "weight 2 is 9223372036854775807, more than 2147483647"),
            (json!(u64::MAX), "weight 2 is 18446744073709551615"),
            (json!([60]), "weight 2 is a list"),
            (json!({}), "weight 2 is an object"),
            (json!(true), "weight 2 is true or false"),
        ] {
            assert_eq!(of(&[Some(json!(40)), Some(weight)], Weighing::Istio), Err(why.into()));
        }
        assert_eq!(Weight::text(&json!("60")), Weight::Written(60));
        assert_eq!(Weight::text(&json!("sixty")), Weight::Odd("\"sixty\"".into()));
        assert!(matches!(Weight::text(&json!(60)), Weight::Odd(_)));
        let large = Some(json!(i32::MAX));
        let why = of(&[large.clone(), large.clone(), large], Weighing::Istio).unwrap_err();
        assert!(why.contains("more than a proxy takes"), "{why}");
    }

    fn weight() -> impl Strategy<Value = Weight> {
        prop_oneof![
            Just(Weight::Omitted),
            (0i64..200).prop_map(Weight::Written),
            any::<i64>().prop_map(Weight::Written),
            Just(Weight::Odd("null".into())),
        ]
    }

    proptest! {
        #[test]
        fn shares_are_a_whole_or_nothing(
            weights in proptest::collection::vec(weight(), 0..8), weighing in prop_oneof![Just(Weighing::Istio), Just(Weighing::Gateway), Just(Weighing::Dns)]
        ) {
            let Ok(found) = shares(&weights, weighing) else { return Ok(()) };
            prop_assert_eq!(found.len(), weights.len());
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{found:?}");
            prop_assert!(found.iter().all(|share| (0.0..=1.0).contains(share)));
            for weight in &weights {
                let plain = !matches!(weight, Weight::Odd(_)) && weight.written().is_none_or(|it| (0..=weighing.scale().largest).contains(&it));
                prop_assert!(plain, "{weight:?} has a share");
            }
        }

        #[test]
        fn the_order_of_shares_is_that_of_weights(weights in proptest::collection::vec(0i64..1000, 2..6)) {
            let of: Vec<_> = weights.iter().map(|it| Weight::Written(*it)).collect();
            let Ok(found) = shares(&of, Weighing::Istio) else {
                prop_assert!(weights.iter().all(|it| *it == 0));
                return Ok(());
            };
            for (a, b) in (0..weights.len()).zip(1..weights.len()) {
                prop_assert_eq!(weights[a].cmp(&weights[b]), found[a].total_cmp(&found[b]));
            }
            for (weight, share) in weights.iter().zip(found) {
                prop_assert_eq!(*weight == 0, share == 0.0);
            }
        }
    }
}
