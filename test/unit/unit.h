/* The smallest unit test runner that forks: each test runs in a process of its
 * own with a time limit, so that a crash or a hang is one failure.
 *
 *     TEST(parses_empty) { CHECK(x == 0); CHECK_STR(s, "abc"); }
 *     UNIT_MAIN(UNIT_ROW(parses_empty) UNIT_ROW(other))
 *
 * Prints "ok NAME" or "not ok NAME" a line; exit status 1 if any failed. With an
 * argument only tests whose name contains it are run; "-n" runs without forking. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <stdbool.h>
#include <stddef.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

#define TEST(id) static void test_##id(void)
#define UNIT_ROW(id) {#id, test_##id},
int unit_main(const struct unit_test *tests, size_t n, int argc, char **argv);
void unit_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            unit_fail(__FILE__, __LINE__, "%s", #cond);                                            \
    } while (0)
#define CHECK_INT(a, b)                                                                            \
    do {                                                                                           \
        long long a_ = (long long)(a), b_ = (long long)(b);                                        \
        if (a_ != b_)                                                                              \
            unit_fail(__FILE__, __LINE__, "%s is %lld, expected %lld", #a, a_, b_);                \
    } while (0)
#define CHECK_STR(a, b)                                                                            \
    do {                                                                                           \
        const char *a_ = (a), *b_ = (b);                                                           \
        if (!a_ || __builtin_strcmp(a_, b_))                                                       \
            unit_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #a, a_ ? a_ : "(null)", \
                      b_);                                                                         \
    } while (0)
#define CHECK_NEAR(a, b, tol)                                                                      \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(__builtin_fabs(a_ - b_) <= (tol)))                                                   \
            unit_fail(__FILE__, __LINE__, "%s is %g, expected %g ± %g", #a, a_, b_,                \
                      (double)(tol));                                                              \
    } while (0)

#define UNIT_MAIN(...)                                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct unit_test tests[] = {__VA_ARGS__};                                     \
        return unit_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);                       \
    }

#endif
