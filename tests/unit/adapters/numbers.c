#include "adapters/numbers.h"

#include <criterion/criterion.h>

Test(numbers, national_and_resident_ids)
{
    cr_assert(number_national_id_ok(V("A123456789")));
    cr_assert(number_national_id_ok(V("A190130001")));
    cr_assert(number_national_id_ok(V("A890110003")), "new resident number");
    cr_assert_not(number_national_id_ok(V("A123456788")));
    cr_assert_not(number_national_id_ok(V("A12345678")));
    cr_assert_not(number_national_id_ok(V("a123456789")));
    cr_assert_not(number_national_id_ok(V("A1234567X9")));
}

Test(numbers, hospital_codes)
{
    cr_assert(number_hospital_code_ok(V("9901010016")));
    cr_assert(number_hospital_code_ok(V("9901020021")));
    cr_assert_not(number_hospital_code_ok(V("9901010017")));
    cr_assert_not(number_hospital_code_ok(V("990101001")));
}

Test(numbers, company_numbers)
{
    cr_assert(number_ubn_ok(V("99000116")));
    cr_assert(number_ubn_ok(V("99000220")));
    cr_assert_not(number_ubn_ok(V("99000117")));
    cr_assert_not(number_ubn_ok(V("9900011")));
}
