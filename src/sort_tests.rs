use proptest::prelude::*;

use super::insertion_sort;

proptest! {
    #[test]
    fn a_list_is_sorted_as_the_standard_library_sorts_it(
        list in prop::collection::vec((0..20_u8, any::<u8>()), 0..40),
    ) {
        let (mut own, mut standard) = (list.clone(), list);
        insertion_sort(&mut own, |left, right| left.0 < right.0);
        standard.sort_by_key(|item| item.0);
        prop_assert_eq!(own, standard, "what is equal stays in its order");
    }
}
