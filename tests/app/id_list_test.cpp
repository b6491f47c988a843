#include "app/id_list.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>

#include "tests/support/temp_folder.hpp"

namespace {

const app::IdLimits kLimits{100, 4, "max_position_embeddings"};

struct Refused {
  std::string text;
  std::string message;
};

}  // namespace

TEST_CASE("Id list, any white space separates decimal ids") {
  const auto ids = app::parse_ids("\n 0\t99\r\n007\v5\f", "ids", kLimits);
  REQUIRE(ids);
  CHECK(*ids == std::vector<engine::TokenId>{0, 99, 7, 5});
}

TEST_CASE("Id list, whatever is not an id of the vocabulary is refused with its number") {
  const auto refused = GENERATE(values<Refused>({
      {"1 -2", "ids: item 2: expected a decimal token id, got '-'"},
      {"1 2 x3", "ids: item 3: expected a decimal token id, got 'x'"},
      {"12,13", "ids: item 1: expected a decimal token id, got '12,'"},
      {"1.5", "ids: item 1: expected a decimal token id, got '1.'"},
      {"1 100", "ids: item 2: id 100 is outside the vocabulary, expected 0 to 99"},
      {"9999999999", "ids: item 1: id 9999999999 is outside the vocabulary, expected 0 to 99"},
      {"99999999999", "ids: item 1: expected a decimal token id, got '99999999999'"},
      {"1 2 3 4 5", "ids: item 5: expected at most 4 ids (max_position_embeddings)"},
      {std::string("1\0 2", 4), "ids: item 1: expected a decimal token id, got '1\\x00'"},
  }));
  const auto ids = app::parse_ids(refused.text, "ids", kLimits);
  REQUIRE_FALSE(ids);
  CHECK(ids.error().code == engine::ErrorCode::bad_input);
  CHECK(ids.error().message == refused.message);
}

TEST_CASE("Id file, items that lie across the reader's blocks are whole") {
  const support::TempFolder folder;
  std::string text;
  while (text.size() < 200'000) text += "12345 ";
  support::write_file(folder / "ids", text);
  const auto ids = app::read_id_file(folder / "ids", {20000, 100'000, "limit"});
  REQUIRE(ids);
  CHECK(ids->size() == text.size() / 6);
  for (const engine::TokenId id : *ids) REQUIRE(id == 12345);
}

TEST_CASE("Id file, a missing, an empty and an endless one are refused") {
  const support::TempFolder folder;
  CHECK(app::read_id_file(folder / "none", kLimits).error().message.find("cannot open") != std::string::npos);
  support::write_file(folder / "blank", " \n\t");
  CHECK(app::read_id_file(folder / "blank", kLimits).error().message.find("at least one") !=
        std::string::npos);
  CHECK(app::read_id_file("/dev/zero", kLimits).error().message.find("item 1") != std::string::npos);
  CHECK(app::read_id_file(folder.path(), kLimits).error().message.find(folder.path().string()) !=
        std::string::npos);
}
