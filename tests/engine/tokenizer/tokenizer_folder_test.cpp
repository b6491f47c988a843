// Loading a checkpoint folder: which file counts, and what tokenizer_config.json adds.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <random>

#include "tests/engine/tokenizer/fixtures.hpp"

using namespace engine;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() / ("dmscope-tokenizer-" + std::to_string(std::random_device()()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  Folder& put(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return *this;
  }
  Result<std::shared_ptr<const Tokenizer>> load() const { return Tokenizer::load(path_); }

 private:
  fs::path path_;
};

std::string smollm2() {
  return read_fixture("smollm2.json");
}

}  // namespace

TEST_CASE("Tokenizer folder, without tokenizer files the missing file is named") {
  const auto tokenizer = Folder().load();
  REQUIRE_FALSE(tokenizer);
  CHECK(tokenizer.error().code == ErrorCode::bad_input);
  CHECK_THAT(tokenizer.error().message, ContainsSubstring("tokenizer.json"));
}

TEST_CASE("Tokenizer folder, tokenizer.json alone has neither BOS nor EOS nor template") {
  Folder folder;
  const auto tokenizer = folder.put("tokenizer.json", smollm2()).load();
  REQUIRE(tokenizer);
  CHECK_FALSE((*tokenizer)->bos());
  CHECK_FALSE((*tokenizer)->eos());
  CHECK((*tokenizer)->chat_template().empty());
}

TEST_CASE("Tokenizer folder, BOS, EOS and the template come in every spelling") {
  Folder folder;
  folder.put("tokenizer.json", smollm2());
  folder.put("tokenizer_config.json",
             R"({"bos_token": "<|im_start|>", "eos_token": {"content": "<|im_end|>", "lstrip": false},
                 "chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]})");
  const auto tokenizer = folder.load();
  REQUIRE(tokenizer);
  CHECK((*tokenizer)->bos() == (*tokenizer)->id_of("<|im_start|>"));
  CHECK((*tokenizer)->eos() == (*tokenizer)->id_of("<|im_end|>"));
  CHECK((*tokenizer)->is_special(*(*tokenizer)->eos()));
  CHECK((*tokenizer)->chat_template() == "D");

  folder.put("tokenizer_config.json", R"({"bos_token": null, "chat_template": "S"})");
  CHECK((*folder.load())->chat_template() == "S");
  CHECK_FALSE((*folder.load())->bos());

  folder.put("chat_template.jinja", "J");
  CHECK((*folder.load())->chat_template() == "J");
}

TEST_CASE("Tokenizer folder, a broken tokenizer_config.json is named with its key") {
  Folder folder;
  folder.put("tokenizer.json", smollm2());
  const auto error = [&folder](const std::string& config) {
    const auto tokenizer = folder.put("tokenizer_config.json", config).load();
    REQUIRE_FALSE(tokenizer);
    return tokenizer.error().message;
  };
  CHECK_THAT(error("{"), ContainsSubstring("tokenizer_config.json: not valid JSON"));
  CHECK_THAT(error(R"({"bos_token": 1})"), ContainsSubstring("tokenizer_config.json: bos_token"));
  CHECK_THAT(error(R"({"eos_token": "<none>"})"),
             ContainsSubstring("eos_token: \"<none>\" is not in the vocabulary"));
  CHECK_THAT(error(R"({"chat_template": 3})"), ContainsSubstring("chat_template"));
  folder.put("tokenizer_config.json", "{}").put("chat_template.jinja", "a\xff");
  CHECK_THAT(folder.load().error().message,
             ContainsSubstring("chat_template.jinja: not valid UTF-8 at byte 1"));
}

TEST_CASE("Tokenizer folder, tokenizer.model is read where there is no tokenizer.json") {
  Folder folder;
  folder.put("tokenizer.model", read_fixture("sentencepiece.model"));
  const auto from_model = folder.load();
  REQUIRE(from_model);
  CHECK((*from_model)->bos() == 1);
  CHECK((*from_model)->eos() == 2);
  CHECK(*(*from_model)->encode("<s>") == std::vector<TokenId>{1});

  folder.put("tokenizer.json", smollm2());
  CHECK_FALSE((*folder.load())->id_of("▁"));
}

TEST_CASE("Tokenizer folder, Llama 2's legacy and add_prefix_space move the first space") {
  Folder folder;
  folder.put("tokenizer.model", read_fixture("sentencepiece.model"));
  const auto tokens = [&folder](const std::string& config, const std::string& text) {
    const auto tokenizer = folder.put("tokenizer_config.json", config).load();
    REQUIRE(tokenizer);
    std::string joined;
    const auto ids = (*tokenizer)->encode(text);
    REQUIRE(ids);
    for (const TokenId id : *ids) joined += (*tokenizer)->token_bytes(id) + "|";
    return joined;
  };
  CHECK(tokens("{}", "a<s>a") == " a|<s>|a|");
  CHECK(tokens(R"({"legacy": true})", "a<s>a") == " a|<s>| a|");
  CHECK(tokens(R"({"add_prefix_space": false})", "a<s>a") == "a|<s>|a|");
}
