// What encode, decode and the stream promise beside equality with Hugging Face.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "engine/tokenizer/normalizer.hpp"
#include "tests/engine/tokenizer/fixtures.hpp"

using namespace engine;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("Tokenizer, text that is not UTF-8 is refused with the byte's offset") {
  const auto tokenizer = load_fixture("smollm2");
  for (const char* broken : {"ab\xff", "ab\xe4\xbd", "ab\xc0\x80", "ab\xed\xa0\x80", "ab\xf4\x90\x80\x80"}) {
    const auto ids = tokenizer->encode(broken);
    REQUIRE_FALSE(ids);
    CHECK(ids.error().code == ErrorCode::bad_input);
    CHECK_THAT(ids.error().message, ContainsSubstring("byte 2"));
  }
}

TEST_CASE("Tokenizer, ids the vocabulary lacks are refused by number") {
  const auto tokenizer = load_fixture("smollm2");
  for (const TokenId id : {tokenizer->size(), TokenId{-1}, TokenId{2'000'000'000}}) {
    const std::vector<TokenId> ids{1, id};
    const auto text = tokenizer->decode(ids);
    REQUIRE_FALSE(text);
    CHECK_THAT(text.error().message, ContainsSubstring("id " + std::to_string(id)));
    CHECK_FALSE(tokenizer->knows(id));
    CHECK(tokenizer->token_bytes(id).empty());
  }
}

TEST_CASE("Tokenizer, a quarter of a megabyte of one kind of character is encoded and comes back") {
  for (const char* family : {"smollm2", "llama3", "qwen2", "llama2_prepend"}) {
    const auto tokenizer = load_fixture(family);
    for (const std::string unit :
         {"a", " ", "\n", "7", "漢", "e\u0301\u0323", " \n", "<|im_end|>", "<|im_"}) {
      std::string text;
      while (text.size() < 1 << 18) text += unit;
      const auto ids = tokenizer->encode(text);
      INFO(family << " " << unit);
      REQUIRE(ids);
      const std::string expected = family == std::string("qwen2") ? compose_nfc(text) : text;
      CHECK(*tokenizer->decode(*ids) == expected);
    }
  }
}

TEST_CASE("StreamDecoder, bytes of a character are held back until it is complete") {
  const auto tokenizer = load_fixture("smollm2");
  const std::vector<TokenId> ids = *tokenizer->encode("🌈!");
  REQUIRE(ids.size() > 2);
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (std::size_t i = 0; i + 2 < ids.size(); ++i) text += decoder.next(ids[i]);
  CHECK(text.empty());
  text += decoder.next(ids[ids.size() - 2]);
  CHECK(text == "🌈");
  CHECK(decoder.next(ids.back()) == "!");
  CHECK(decoder.finish().empty());
}

TEST_CASE("StreamDecoder, a character that never completes ends as a replacement character") {
  const auto tokenizer = load_fixture("smollm2");
  const std::vector<TokenId> ids = *tokenizer->encode("🌈");
  StreamDecoder decoder(tokenizer);
  CHECK(decoder.next(ids.front()).empty());
  CHECK(decoder.finish() == "\uFFFD");
  CHECK(decoder.next(*tokenizer->id_of("a")) == "a");  // starts anew
}

TEST_CASE("StreamDecoder, a copy goes on by itself") {
  const auto tokenizer = load_fixture("llama2_metaspace");
  StreamDecoder one(tokenizer);
  CHECK(one.next(*tokenizer->id_of("▁")).empty());  // the leading space
  StreamDecoder other = one;
  const TokenId a = *tokenizer->id_of("a");
  CHECK(one.next(a) == "a");
  CHECK(other.next(*tokenizer->id_of("▁")) == " ");
  CHECK(other.next(a) == "a");
}

TEST_CASE("Tokenizer, token_bytes shows a token as it stands inside a text") {
  const auto smollm2 = load_fixture("smollm2");
  CHECK(smollm2->token_bytes(*smollm2->id_of("Ġ")) == " ");
  CHECK(smollm2->token_bytes(*smollm2->id_of("Ċ")) == "\n");
  CHECK(smollm2->token_bytes(*smollm2->id_of("<|im_end|>")) == "<|im_end|>");
  CHECK(smollm2->is_special(*smollm2->id_of("<|im_end|>")));
  CHECK_FALSE(smollm2->is_special(*smollm2->id_of("<tool>")));
  const auto llama2 = load_fixture("llama2_prepend");
  CHECK(llama2->token_bytes(*llama2->id_of("▁")) == " ");
  CHECK(llama2->token_bytes(*llama2->id_of("<0x0A>")) == "\n");
  CHECK(llama2->token_bytes(*llama2->id_of("<0xE4>")) == "\xE4");
}
