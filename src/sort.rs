//! Sorting short lists. What the standard library has for it is made for long ones, and takes five kilobytes of the
//! module for each type that is sorted, or collected into a map.

/// Sorts a list that is short, or nearly in order; what is equal stays in its order. `is_less` says whether the left
/// one belongs before the right one.
pub fn insertion_sort<T>(items: &mut [T], is_less: impl Fn(&T, &T) -> bool) {
    for end in 1..items.len() {
        for right in (1..=end).rev() {
            let left = right.saturating_sub(1);
            match (items.get(left), items.get(right)) {
                (Some(own), Some(next)) if is_less(next, own) => items.swap(left, right),
                _ => break,
            }
        }
    }
}

#[cfg(test)]
#[path = "sort_tests.rs"]
mod tests;
