// Damaged and unknown tokenizer files: refused with a message that names file and key.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/engine/tokenizer/fixtures.hpp"

using namespace engine;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

json minimal() {
  return {{"added_tokens", json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", nullptr},
          {"decoder", nullptr},
          {"model",
           {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}}, {"merges", json::array({"a b"})}}}};
}

std::string error_of(const std::string& text) {
  const auto tokenizer = Tokenizer::from_json(text, "tokenizer.json");
  REQUIRE_FALSE(tokenizer);
  CHECK(tokenizer.error().code == ErrorCode::bad_input);
  CHECK_THAT(tokenizer.error().message, ContainsSubstring("tokenizer.json"));
  CHECK(tokenizer.error().message.find('\n') == std::string::npos);
  return tokenizer.error().message;
}

std::string error_with(const std::string& pointer, const json& value) {
  json file = minimal();
  file[json::json_pointer(pointer)] = value;
  INFO(pointer << " = " << value.dump());
  return error_of(file.dump());
}

json added(const std::string& content, int id) {
  return {{"content", content}, {"id", id},        {"special", true},    {"single_word", false},
          {"lstrip", false},    {"rstrip", false}, {"normalized", false}};
}

json split(const std::string& pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

}  // namespace

TEST_CASE("Tokenizer, the minimal file of these tests is accepted") {
  const auto tokenizer = Tokenizer::from_json(minimal().dump(), "tokenizer.json");
  REQUIRE(tokenizer);
  CHECK(*(*tokenizer)->encode("abb") == std::vector<TokenId>{2, 1});
}

TEST_CASE("Tokenizer, text that is not JSON is refused with its place") {
  CHECK_THAT(error_of(""), ContainsSubstring("not valid JSON"));
  CHECK_THAT(error_of("{\"model\": "), ContainsSubstring("not valid JSON at byte 11"));
  CHECK_THAT(error_of("[]"), ContainsSubstring("expected an object"));
  CHECK_THAT(error_of("{\"model\": \"\xff\"}"), ContainsSubstring("not valid JSON"));
  const std::string whole = minimal().dump();
  for (std::size_t length = 0; length < whole.size(); ++length) error_of(whole.substr(0, length));
}

TEST_CASE("Tokenizer, nesting without end is refused, not followed") {
  for (const char* opening :
       {"[", "{\"a\":", "{\"model\":{\"vocab\":{\"a\":[", "{\"model\":{\"merges\":[["}) {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += opening;
    error_of(text);
  }
}

TEST_CASE("Tokenizer, components of unknown type are named") {
  CHECK_THAT(error_with("/normalizer", {{"type", "Lowercase"}}), ContainsSubstring("\"Lowercase\""));
  CHECK_THAT(error_with("/pre_tokenizer", {{"type", "BertPreTokenizer"}}),
             ContainsSubstring("\"BertPreTokenizer\""));
  CHECK_THAT(error_with("/decoder", {{"type", "WordPiece"}}), ContainsSubstring("\"WordPiece\""));
  CHECK_THAT(error_with("/model/type", "Unigram"), ContainsSubstring("\"Unigram\""));
  const json inner = {{"type", "Sequence"},
                      {"normalizers", json::array({{{"type", "NFC"}}, {{"type", "NFKD"}}})}};
  CHECK_THAT(error_with("/normalizer", inner), ContainsSubstring("normalizer.normalizers[1].type"));
}

TEST_CASE("Tokenizer, values of the wrong type are named by their key") {
  CHECK_THAT(error_with("/model", 3), ContainsSubstring("model: expected an object"));
  CHECK_THAT(error_with("/model/vocab", json::array()), ContainsSubstring("model.vocab"));
  CHECK_THAT(error_with("/model/vocab/a", "0"), ContainsSubstring("model.vocab"));
  CHECK_THAT(error_with("/model/vocab/a", 0.5), ContainsSubstring("model.vocab"));
  CHECK_THAT(error_with("/model/merges", "a b"), ContainsSubstring("model.merges"));
  CHECK_THAT(error_with("/model/merges/0", "a b c"), ContainsSubstring("model.merges[0]"));
  CHECK_THAT(error_with("/model/merges/0", json::array({"a"})), ContainsSubstring("model.merges[0]"));
  CHECK_THAT(error_with("/model/byte_fallback", "yes"), ContainsSubstring("model.byte_fallback"));
  CHECK_THAT(error_with("/model/dropout", 0.1), ContainsSubstring("model.dropout"));
  CHECK_THAT(error_with("/added_tokens", 1), ContainsSubstring("added_tokens"));
  CHECK_THAT(error_with("/added_tokens/0", added("<s>", 3).items().begin().value()),
             ContainsSubstring("added_tokens[0]"));
  CHECK_THAT(error_with("/pre_tokenizer", json::array()),
             ContainsSubstring("pre_tokenizer: expected an object"));
}

TEST_CASE("Tokenizer, a vocabulary that contradicts itself is refused") {
  CHECK_THAT(error_with("/model/vocab/b", 0), ContainsSubstring("same id 0"));
  CHECK_THAT(error_with("/model/vocab/b", -1), ContainsSubstring("expected 0 to"));
  CHECK_THAT(error_with("/model/vocab/b", 4'000'000'000), ContainsSubstring("expected 0 to"));
  CHECK_THAT(error_with("/model/merges/0", "a c"), ContainsSubstring("\"c\" is not in model.vocab"));
  CHECK_THAT(error_with("/model/merges/0", "b a"), ContainsSubstring("\"ba\" is not in model.vocab"));
  CHECK_THAT(error_with("/added_tokens/0", added("<s>", 7)), ContainsSubstring("gives it 3"));
  CHECK_THAT(error_with("/added_tokens/0", added("a", 1)), ContainsSubstring("gives it 0"));
  CHECK_THAT(error_with("/added_tokens/0", added(std::string(5000, 'x'), 3)),
             ContainsSubstring("5000 bytes"));
}

TEST_CASE("Tokenizer, patterns that cannot be run are refused") {
  CHECK_THAT(error_with("/pre_tokenizer", split("(a")), ContainsSubstring("pre_tokenizer.pattern"));
  CHECK_THAT(error_with("/pre_tokenizer", split("[a&&b]")), ContainsSubstring("&&"));
  CHECK_THAT(error_with("/pre_tokenizer", split("a{2}+")), ContainsSubstring("interval"));
  CHECK_THAT(error_with("/pre_tokenizer", split("(?<name>a)")), ContainsSubstring("not supported"));
  CHECK_THAT(error_with("/pre_tokenizer", split("\\Ka")), ContainsSubstring("\\K"));
  CHECK_THAT(error_with("/pre_tokenizer", split("\\p{Klingon}")), ContainsSubstring("Klingon"));
  CHECK_THAT(error_with("/pre_tokenizer", split(std::string(100'000, 'a'))),
             ContainsSubstring("100000 bytes"));
  CHECK_THAT(error_with("/pre_tokenizer", split(std::string(1000, '('))), ContainsSubstring("valid pattern"));
}

TEST_CASE("Tokenizer, patterns that backtrack without end give up with a message") {
  for (const char* pattern : {"(a|a)*\\z", "(a+)+\\z", "((?=a*c)|a)+\\z"}) {
    json file = minimal();
    file["pre_tokenizer"] = split(pattern);
    const auto tokenizer = Tokenizer::from_json(file.dump(), "tokenizer.json");
    REQUIRE(tokenizer);
    const auto ids = (*tokenizer)->encode(std::string(200'000, 'a') + "b");
    INFO(pattern);
    REQUIRE_FALSE(ids);
    CHECK_THAT(ids.error().message, ContainsSubstring("tokenizer.json: pre_tokenizer.pattern"));
  }
}

TEST_CASE("Tokenizer, normalizers that blow a text up are stopped") {
  json file = minimal();
  const json grow = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(200, 'a')}};
  file["normalizer"] = {{"type", "Sequence"},
                        {"normalizers", json::array({grow, grow, grow, grow, grow, grow})}};
  const auto tokenizer = Tokenizer::from_json(file.dump(), "tokenizer.json");
  REQUIRE(tokenizer);
  CHECK_FALSE((*tokenizer)->encode(std::string(1000, 'a')));
}

TEST_CASE("SentencePiece, every cut of a model is refused or complete") {
  const std::string whole = read_fixture("sentencepiece.model");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    const auto tokenizer = Tokenizer::from_sentencepiece(whole.substr(0, length), "tokenizer.model");
    INFO(length);
    if (!tokenizer) CHECK_THAT(tokenizer.error().message, ContainsSubstring("tokenizer.model"));
    if (length < whole.size() / 2) CHECK_FALSE(tokenizer);
  }
}

TEST_CASE("SentencePiece, other models and broken pieces are named") {
  const auto error = [](const std::string& bytes) {
    const auto tokenizer = Tokenizer::from_sentencepiece(bytes, "tokenizer.model");
    REQUIRE_FALSE(tokenizer);
    return tokenizer.error().message;
  };
  const std::string piece_a(
      "\x0a\x03\x0a\x01"
      "a",
      5);
  const std::string bpe("\x12\x02\x18\x02", 4);
  const std::string unigram("\x12\x02\x18\x01", 4);
  REQUIRE(Tokenizer::from_sentencepiece(piece_a + bpe, "tokenizer.model"));
  CHECK_THAT(error(""), ContainsSubstring("has no pieces"));
  CHECK_THAT(error(piece_a), ContainsSubstring("trainer_spec"));
  CHECK_THAT(error(piece_a + unigram), ContainsSubstring("expected 2 (BPE), found 1"));
  CHECK_THAT(error(std::string("\x0a\x00", 2) + bpe), ContainsSubstring("pieces[0]: has no text"));
  CHECK_THAT(error(std::string("\x0a\x03\x0a\x01\xff", 5) + bpe),
             ContainsSubstring("pieces[0]: not valid UTF-8"));
  CHECK_THAT(error(std::string("\x0a\x05\x0a\x01"
                               "a\x18\x09",
                               7) +
                   bpe),
             ContainsSubstring("type 9"));
  CHECK_THAT(error(std::string("\x0a\x08\x0a\x01"
                               "a\x15\x00\x00\xc0\x7f",
                               10) +
                   bpe),
             ContainsSubstring("score"));
  CHECK_THAT(error("\x0b"), ContainsSubstring("not a SentencePiece model"));
}
