#include "app/view/append_only.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using app::view::AppendOnly;

TEST_CASE("AppendOnly, elements keep their place and value while it grows") {
  AppendOnly<int, 4> numbers;
  const int* first = &numbers.append(0);
  for (int i = 1; i < 1000; ++i) numbers.append(i);
  CHECK(&numbers[0] == first);
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(numbers[i] == static_cast<int>(i));
  CHECK(numbers.size() == 1000);
}

TEST_CASE("AppendOnly, owns what it was given") {
  AppendOnly<std::string, 1> texts;
  for (int i = 0; i < 40; ++i) texts.append(std::string(100, static_cast<char>('a' + i % 26)));
  CHECK(texts[39] == std::string(100, 'n'));
  CHECK(texts.bytes() >= 40 * sizeof(std::string));
}
