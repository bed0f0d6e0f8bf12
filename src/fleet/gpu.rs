//! How many GPUs, counted so that unlike things are never added up.
//!
//! A MIG slice is a part of a GPU and a `.shared` replica is a turn on one, so neither is counted as a GPU
//! (NVIDIA k8s-device-plugin README, "Shared Access to GPUs"; AMD and Intel device plugins for their names).

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use serde::{Deserialize, Serialize};

use super::quantity;

/// GPUs of a node, a pod or a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GpuCount {
    /// Whole devices: `nvidia.com/gpu`, `amd.com/gpu`, `gpu.intel.com/i915` and `/xe`.
    pub whole: u32,
    /// Partitions of devices: `nvidia.com/mig-…`.
    pub slices: u32,
    /// Time-sliced or MPS replicas: `nvidia.com/gpu.shared`.
    pub shared: u32,
}

impl GpuCount {
    pub const NONE: Self = Self { whole: 0, slices: 0, shared: 0 };

    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Adds what one entry of a resource list says, if it is about GPUs.
    pub fn add_resource(&mut self, resource: &str, amount: &str) {
        if let Some(pieces) = quantity::pieces(amount) {
            self.add_pieces(resource, pieces);
        }
    }

    fn add_pieces(&mut self, resource: &str, pieces: u32) {
        let count = match class(resource) {
            Some(Class::Whole) => &mut self.whole,
            Some(Class::Slice) => &mut self.slices,
            Some(Class::Shared) => &mut self.shared,
            None => return,
        };
        *count = count.saturating_add(pieces);
    }

    /// The GPUs among all amounts.
    pub fn among<'a>(amounts: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let mut count = Self::NONE;
        for (resource, amount) in amounts {
            count.add_pieces(resource, u32::try_from(amount).unwrap_or(u32::MAX));
        }
        count
    }

    /// The larger of each, as Kubernetes takes the larger of init and main containers.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            whole: self.whole.max(other.whole),
            slices: self.slices.max(other.slices),
            shared: self.shared.max(other.shared),
        }
    }
}

/// Whether a resource is about GPUs, whole or in parts.
pub fn is_gpu(resource: &str) -> bool {
    class(resource).is_some()
}

/// Whether a resource counts turns on GPUs: time-sliced or MPS replicas, which are not devices.
pub fn is_share(resource: &str) -> bool {
    matches!(class(resource), Some(Class::Shared))
}

/// Whether a resource counts partitions of GPUs.
pub fn is_slice(resource: &str) -> bool {
    matches!(class(resource), Some(Class::Slice))
}

enum Class {
    Whole,
    Slice,
    Shared,
}

fn class(resource: &str) -> Option<Class> {
    match resource {
        "nvidia.com/gpu" | "amd.com/gpu" | "gpu.intel.com/i915" | "gpu.intel.com/xe" => Some(Class::Whole),
        "nvidia.com/gpu.shared" => Some(Class::Shared),
        _ if resource.starts_with("nvidia.com/mig-") => {
            Some(if resource.ends_with(".shared") { Class::Shared } else { Class::Slice })
        }
        _ => None,
    }
}

impl Add for GpuCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            whole: self.whole.saturating_add(other.whole),
            slices: self.slices.saturating_add(other.slices),
            shared: self.shared.saturating_add(other.shared),
        }
    }
}

impl Sub for GpuCount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            whole: self.whole.saturating_sub(other.whole),
            slices: self.slices.saturating_sub(other.slices),
            shared: self.shared.saturating_sub(other.shared),
        }
    }
}

impl Mul<u32> for GpuCount {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self {
            whole: self.whole.saturating_mul(times),
            slices: self.slices.saturating_mul(times),
            shared: self.shared.saturating_mul(times),
        }
    }
}

impl AddAssign for GpuCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for GpuCount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl std::iter::Sum for GpuCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::NONE, Add::add)
    }
}

/// `8`, `8+2 mig`, `4 shared`, `0`.
impl fmt::Display for GpuCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.whole, ""), (self.slices, " mig"), (self.shared, " shared")];
        let text = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count}{unit}"))
            .collect::<Vec<_>>()
            .join("+");
        f.pad(if text.is_empty() { "0" } else { &text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_shared_replicas_are_not_gpus() {
        let mut count = GpuCount::NONE;
        for (resource, amount) in [
            ("nvidia.com/gpu", "4"),
            ("amd.com/gpu", "4"),
            ("nvidia.com/mig-1g.5gb", "2"),
            ("nvidia.com/gpu.shared", "6"),
            ("cpu", "96"),
            ("nvidia.com/gpu", "not a number"),
        ] {
            count.add_resource(resource, amount);
        }
        assert_eq!(count, GpuCount { whole: 8, slices: 2, shared: 6 });
        assert_eq!(count.to_string(), "8+2 mig+6 shared");
        assert_eq!(GpuCount::NONE.to_string(), "0");
        assert_eq!((count * 2).whole, 16);
        assert_eq!(GpuCount::NONE - count, GpuCount::NONE);
    }
}
