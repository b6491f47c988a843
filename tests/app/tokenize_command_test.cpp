#include <catch2/catch_test_macros.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using support::run_program;

TEST_CASE("tokenize, all of standard input is one text, byte for byte") {
  const support::TalkingCheckpoint model;
  const auto result = run_program({"tokenize", "--model", model.path()}, {.input = "A \n\xc3\xa9\n"});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(result.out == "65\n32\n10\n195\n169\n10\n");
}

TEST_CASE("tokenize, special tokens are recognised and BOS comes only when asked for") {
  const support::TalkingCheckpoint model;
  CHECK(run_program({"tokenize", "--model", model.path()}, {.input = "<s>A<|im_end|>"}).out ==
        "256\n65\n258\n");
  CHECK(run_program({"tokenize", "--model", model.path(), "--bos"}, {.input = "A"}).out == "256\n65\n");
  CHECK(run_program({"tokenize", "--model", model.path()}, {.input = ""}).out.empty());
}

TEST_CASE("tokenize, decoding gives the text back with nothing added") {
  const support::TalkingCheckpoint model;
  const auto result = run_program({"tokenize", "--model", model.path(), "--decode"},
                                  {.input = "256 72\n105 195\t169 258 255"});
  CHECK(result.status == 0);
  CHECK(result.out == "<s>Hi\xc3\xa9<|im_end|>\xef\xbf\xbd");
}

TEST_CASE("tokenize, broken input is refused naming it") {
  const support::TalkingCheckpoint model;
  const auto text = run_program({"tokenize", "--model", model.path()}, {.input = "caf\xe9"});
  CHECK(text.status == 2);
  CHECK(text.first_error() == "dmscope: standard input: expected UTF-8, byte 3 (0xe9) is not");
  const auto ids = run_program({"tokenize", "--model", model.path(), "--decode"}, {.input = "1 x"});
  CHECK(ids.status == 2);
  CHECK(ids.first_error() == "dmscope: standard input: item 2: expected a decimal token id, got 'x'");
  const auto unknown = run_program({"tokenize", "--model", model.path(), "--decode"}, {.input = "259"});
  CHECK(unknown.status == 2);
  CHECK(unknown.first_error().find("259") != std::string::npos);
}

TEST_CASE("tokenize, needs no weights") {
  const support::TalkingCheckpoint model;
  std::filesystem::remove(model / "model.safetensors");
  std::filesystem::remove(model / "config.json");
  CHECK(run_program({"tokenize", "--model", model.path()}, {.input = "A"}).status == 0);
}
