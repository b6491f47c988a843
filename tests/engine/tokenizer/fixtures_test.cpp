// Every fixture of make_fixtures.py: ids and decoded text equal to Hugging Face's.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <nlohmann/json.hpp>

#include "tests/engine/tokenizer/fixtures.hpp"

using namespace engine;

namespace {

std::vector<std::string> families() {
  return {"smollm2",          "gpt2",          "llama3",          "qwen2",    "llama2_prepend",
          "llama2_metaspace", "sentencepiece", "metaspace_words", "splitters"};
}

std::vector<TokenId> ids_of(const nlohmann::json& list) {
  return list.get<std::vector<TokenId>>();
}

std::string stream(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<TokenId>& ids) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (const TokenId id : ids) {
    const std::string piece = decoder.next(id);
    REQUIRE(is_utf8(piece));
    text += piece;
  }
  return text + decoder.finish();
}

}  // namespace

TEST_CASE("Tokenizer, every family encodes hard texts to Hugging Face's ids") {
  const std::string family = GENERATE(from_range(families()));
  const std::shared_ptr<const Tokenizer> tokenizer = load_fixture(family);
  const nlohmann::json expected = read_json(family + ".expected.json");
  REQUIRE(expected["texts"].size() > 40);
  for (const nlohmann::json& text : expected["texts"]) {
    INFO(family << ": " << text["name"]);
    const Result<std::vector<TokenId>> ids = tokenizer->encode(text["text"].get<std::string>());
    REQUIRE(ids);
    CHECK(*ids == ids_of(text["ids"]));
  }
}

TEST_CASE("Tokenizer, every family decodes to Hugging Face's text, at once and streamed") {
  const std::string family = GENERATE(from_range(families()));
  const std::shared_ptr<const Tokenizer> tokenizer = load_fixture(family);
  const nlohmann::json expected = read_json(family + ".expected.json");
  for (const char* part : {"texts", "decodings"}) {
    for (const nlohmann::json& entry : expected[part]) {
      const std::vector<TokenId> ids = ids_of(entry["ids"]);
      INFO(family << ": " << entry.dump());
      const Result<std::string> text = tokenizer->decode(ids);
      REQUIRE(text);
      CHECK(*text == entry["decoded"].get<std::string>());
      CHECK(stream(tokenizer, ids) == *text);
    }
  }
}
