/* The code tables: order, keys, spellings, and what is not guessed. */
#include "police_kit.h"

static const struct police_code_row *
find(enum police_column c, enum police_era era, const char *major, const char *minor, const char *code)
{
    return police_code_find(c, era, view_of(major), view_of(minor), view_of(code));
}

static void
expect_code(enum police_column c, enum police_era era, const char *major, const char *minor, const char *code)
{
    const struct police_code_row *row = find(c, era, major, minor, "");
    cr_assert(row, "%s %s", major, minor);
    cr_assert_str_eq(row->code, code, "%s %s", major, minor);
}

Test(police_codes, rows_stand_by_column_and_every_column_has_some_in_each_era)
{
    for (size_t i = 1; i < police_code_rows_count; i++)
        cr_assert_leq(police_code_rows[i - 1].column, police_code_rows[i].column, "row %zu", i);
    size_t total = 0;
    for (int c = 0; c < COLUMN_COUNT; c++) {
        size_t n, from = police_column_rows((enum police_column)c, &n);
        int eras = 0;
        for (size_t i = from; i < from + n; i++)
            eras |= police_code_rows[i].eras;
        cr_assert_eq(eras, ERA_OLD | ERA_NEW, "%s", police_column_word((enum police_column)c));
        total += n;
    }
    cr_assert_eq(total, police_code_rows_count);
}

Test(police_codes, a_key_stands_once)
{
    for (size_t i = 0; i < police_code_rows_count; i++) {
        for (size_t k = i + 1; k < police_code_rows_count; k++) {
            const struct police_code_row *a = &police_code_rows[i], *b = &police_code_rows[k];
            bool same = a->column == b->column && (a->eras & b->eras) && strcmp(a->major, b->major) == 0 &&
                        strcmp(a->minor, b->minor) == 0;
            cr_assert(!same, "%s %s %s", police_column_word((enum police_column)a->column), a->major,
                      a->minor);
        }
    }
}

/* How many different codes a column has in an era. */
static size_t
count_codes(enum police_column c, enum police_era era)
{
    size_t n, from = police_column_rows(c, &n), found = 0;
    for (size_t i = from; i < from + n; i++) {
        bool earlier = false;
        for (size_t k = from; k < i; k++)
            earlier = earlier || ((police_code_rows[k].eras & era) &&
                                  strcmp(police_code_rows[k].code, police_code_rows[i].code) == 0);
        found += (police_code_rows[i].eras & era) && !earlier;
    }
    return found;
}

Test(police_codes, the_editions_have_their_numbers_of_codes)
{
    cr_assert_eq(count_codes(COLUMN_cause, ERA_NEW), 119);
    cr_assert_eq(count_codes(COLUMN_cause, ERA_OLD), 67);
    cr_assert_eq(count_codes(COLUMN_weather, ERA_NEW), 7);
    cr_assert_eq(count_codes(COLUMN_weather, ERA_OLD), 8);
    cr_assert_eq(count_codes(COLUMN_light, ERA_NEW), 3);
    cr_assert_eq(count_codes(COLUMN_light, ERA_OLD), 4);
    cr_assert_eq(count_codes(COLUMN_road_form, ERA_NEW), 18);
    cr_assert_eq(count_codes(COLUMN_position, ERA_NEW), 24);
    cr_assert_eq(count_codes(COLUMN_type, ERA_NEW), 35);
    cr_assert_eq(count_codes(COLUMN_type, ERA_OLD), 34);
    cr_assert_eq(count_codes(COLUMN_party_kind, ERA_NEW), 47);
}

Test(police_codes, names_that_two_codes_bear_need_their_class)
{
    expect_code(COLUMN_cause, ERA_NEW, "無(車輛駕駛者因素)", "尚未發現肇事因素", "87");
    expect_code(COLUMN_cause, ERA_NEW, "無(非車輛駕駛人因素)", "尚未發現肇事因素", "119");
    expect_code(COLUMN_cause, ERA_OLD, "無(車輛駕駛人因素)", "尚未發現肇事因素", "44");
    expect_code(COLUMN_cause, ERA_OLD, "無(非車輛駕駛人因素)", "尚未發現肇事因素", "67");
    expect_code(COLUMN_cause, ERA_NEW, "其他", "開啟或關閉車門不當", "76");
    expect_code(COLUMN_cause, ERA_NEW, "非駕駛者", "開啟或關閉車門不當", "102");
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "", "尚未發現肇事因素", ""));
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "", "搶(闖)越平交道", ""));
    expect_code(COLUMN_cause, ERA_NEW, "", "闖紅燈直行", "21");
}

Test(police_codes, an_era_does_not_know_the_other_one)
{
    cr_assert_null(find(COLUMN_cause, ERA_OLD, "無(車輛駕駛者因素)", "尚未發現肇事因素", ""));
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "駕駛人", "未注意車前狀態", ""));
    expect_code(COLUMN_weather, ERA_OLD, "", "晴", "8");
    expect_code(COLUMN_weather, ERA_NEW, "", "晴", "7");
}

Test(police_codes, spellings_that_occur_mean_the_same)
{
    expect_code(COLUMN_direction_divider, ERA_OLD, "中央分向島", "寛式(50公分以上)", "1");
    expect_code(COLUMN_direction_divider, ERA_NEW, "中央分向島", "寬式(50公分以上)", "1");
    expect_code(COLUMN_gear, ERA_OLD, "", "未戴案全帽或未繫安全帶(未使用幼童安全椅)", "2");
    expect_code(COLUMN_position, ERA_NEW, "交叉路口", "交叉路口內", "1");
    expect_code(COLUMN_position, ERA_NEW, "交岔路口", "交岔路口內", "1");
    expect_code(COLUMN_road_class, ERA_NEW, "", "快速(公)道", "3");
}

Test(police_codes, codes_alone_and_with_leading_zeros)
{
    const struct police_code_row *row = find(COLUMN_cause, ERA_OLD, "", "", "1");
    cr_assert(row && strcmp(row->minor, "違規超車") == 0);
    cr_assert_eq(find(COLUMN_cause, ERA_OLD, "", "", "01"), row);
    cr_assert(find(COLUMN_cause, ERA_NEW, "", "", "001"));
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "", "", "120"));
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "", "", "0"));
}

Test(police_codes, what_is_stated_must_agree)
{
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "駕駛者", "闖紅燈直行", "22"));
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "裝載", "闖紅燈直行", ""));
    cr_assert_null(find(COLUMN_cause, ERA_NEW, "駕駛者", "", ""));
    cr_assert(find(COLUMN_cause, ERA_NEW, "駕駛者", "闖紅燈直行", "21"));
    cr_assert_null(find(COLUMN_party_kind, ERA_NEW, "大客車", "營業用", ""),
                   "which of A01 to A05 it does not say");
    cr_assert(police_class_known(COLUMN_cause, ERA_NEW, V("駕駛者")));
    cr_assert(!police_class_known(COLUMN_cause, ERA_OLD, V("駕駛者")));
}

Test(police_codes, eras_have_words)
{
    cr_assert_eq(police_era_of(V("2022")), ERA_NEW);
    cr_assert_eq(police_era_of(V("old")), ERA_OLD);
    cr_assert_eq((int)police_era_of(V("2023")), 0);
    cr_assert_str_eq(police_era_word(ERA_NEW), "2022");
}
