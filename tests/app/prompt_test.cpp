#include "app/prompt.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/temp_folder.hpp"

TEST_CASE("Prompt, exactly one source is expected") {
  app::PromptOptions options;
  CHECK(app::read_prompt(options).error().message ==
        "--prompt: expected exactly one of --prompt and --prompt-file");
  options.text = "a";
  options.file = "b";
  CHECK(app::read_prompt(options).error().message ==
        "--prompt: expected exactly one of --prompt and --prompt-file");
}

TEST_CASE("Prompt, an empty one and one that is not UTF-8 are refused naming the source") {
  const support::TempFolder folder;
  app::PromptOptions argument;
  argument.text = "";
  CHECK(app::read_prompt(argument).error().message == "--prompt: expected a prompt, it is empty");
  argument.text = "caf\xe9";
  CHECK(app::read_prompt(argument).error().message == "--prompt: expected UTF-8, byte 3 (0xe9) is not");
  app::PromptOptions file;
  file.file = (folder / "prompt").string();
  support::write_file(folder / "prompt", "\xff");
  CHECK(app::read_prompt(file).error().message == *file.file + ": expected UTF-8, byte 0 (0xff) is not");
  file.file = (folder / "none").string();
  CHECK(app::read_prompt(file).error().message == *file.file + ": cannot open: No such file or directory");
}

TEST_CASE("Prompt, chat options have no meaning for a raw prompt") {
  app::PromptOptions options;
  options.text = "a";
  options.raw = true;
  SECTION("system") {
    options.system = "s";
  }
  SECTION("thinking") {
    options.thinking = "on";
  }
  const auto prompt = app::read_prompt(options);
  REQUIRE_FALSE(prompt);
  CHECK(prompt.error().message.ends_with("has no meaning with --raw"));
}
