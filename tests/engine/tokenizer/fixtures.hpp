// Reading the fixtures that make_fixtures.py wrote.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/tokenizer/tokenizer.hpp"
#include "engine/tokenizer/utf8.hpp"

inline std::string fixture_path(const std::string& name) {
  return std::string(DMSCOPE_TESTS_DIR) + "/engine/tokenizer/fixtures/" + name;
}

inline std::string read_fixture(const std::string& name) {
  std::ifstream file(fixture_path(name), std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(read_fixture(name));
}

inline std::shared_ptr<const engine::Tokenizer> load_fixture(const std::string& family) {
  const auto tokenizer =
      family == "sentencepiece"
          ? engine::Tokenizer::from_sentencepiece(read_fixture(family + ".model"), family + ".model")
          : engine::Tokenizer::from_json(read_fixture(family + ".json"), family + ".json");
  if (!tokenizer) FAIL(tokenizer.error().message);
  return *tokenizer;
}

inline bool is_utf8(const std::string& text) {
  return engine::find_invalid_utf8(text) == std::string::npos;
}
