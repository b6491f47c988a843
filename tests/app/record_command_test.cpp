#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using nlohmann::json;
using support::run_program;

namespace {

support::CheckpointOptions dms_options() {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::nvidia_adapter;
  options.window = 8;
  return options;
}

std::vector<std::string> record(const support::TalkingCheckpoint& model,
                                const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "record",       "--model",   model.path(), "--tokens", "40", "--trace", (model / "t.db").string(),
      "--ignore-eos", "--threads", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

json sql(const support::TalkingCheckpoint& model, const std::string& query) {
  const auto result = run_program({"sql", (model / "t.db").string(), query, "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  return json::parse(result.out);
}

}  // namespace

TEST_CASE("record, the text on standard output is the text in the trace") {
  const support::TalkingCheckpoint model(dms_options());
  const auto result = run_program(record(model, {"--prompt", "Hello", "--raw"}));
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json tokens = sql(model, "SELECT phase, text FROM tokens ORDER BY position");
  REQUIRE(tokens.size() == 45);
  std::string text;
  for (const json& token : tokens) {
    if (token["phase"] == "decode") text += token["text"].get<std::string>();
  }
  CHECK(result.out == text + "\n");
  CHECK(result.err.find("CR ") != std::string::npos);
  CHECK(result.err.find("t.db") != std::string::npos);
}

TEST_CASE("record, the JSON summary tells what the trace tells") {
  const support::TalkingCheckpoint model(dms_options());
  const auto result = run_program(record(model, {"--prompt", "Hello there, machine", "--raw", "--json"}));
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json summary = json::parse(result.out);
  CHECK(summary["policy"] == "dms");
  CHECK(summary["window"] == 8);
  CHECK(summary["prompt_tokens"] == 20);
  CHECK(summary["decode_tokens"] == 40);
  CHECK(summary["finish_reasons"] == json{"length"});
  CHECK(summary["ids"][0].size() == 40);
  CHECK(summary["compression_ratio"] > 1.0);
  CHECK(summary["trace_bytes"] == std::filesystem::file_size(model / "t.db"));
  CHECK(summary["trace_complete"] == true);
  const json live =
      sql(model, "SELECT sum(live) AS live FROM occupancy WHERE step = (SELECT max(step) FROM occupancy)");
  const json dense_slots = 4 * (20 + 39);  // 2 layers of 2 heads; the last token is never processed
  CHECK(summary["compression_ratio"].get<double>() ==
        Catch::Approx(dense_slots.get<double>() / live[0]["live"].get<double>()));
}

TEST_CASE("record, --quiet says nothing") {
  const support::TalkingCheckpoint model;
  const auto result = run_program(record(model, {"--prompt", "Hello", "--raw", "--quiet"}));
  CHECK(result.status == 0);
  CHECK(result.out.empty());
  CHECK(result.err.empty());
}

TEST_CASE("record, the prompt goes through the chat template unless it is raw") {
  const support::TalkingCheckpoint model(support::talking_options(), support::kChatMl);
  REQUIRE(run_program(record(model, {"--prompt", "Hi", "--system", "Be brief"})).status == 0);
  const json prompt = sql(model, "SELECT id FROM tokens WHERE phase = 'prefill' ORDER BY position");
  CHECK(prompt[0]["id"] == support::kStartToken);
  REQUIRE(run_program(record(model, {"--prompt", "Hi", "--raw", "--overwrite"})).status == 0);
  CHECK(sql(model, "SELECT id FROM tokens WHERE phase = 'prefill'") == json{{{"id", 'H'}}, {{"id", 'i'}}});
  REQUIRE(run_program(record(model, {"--prompt", "Hi", "--raw", "--bos", "--overwrite"})).status == 0);
  CHECK(sql(model, "SELECT id FROM tokens WHERE phase = 'prefill'").size() == 3);
}

TEST_CASE("record, without a known chat template the prompt is completed as it is, and it says so") {
  const support::TalkingCheckpoint model(support::talking_options(), "{{ messages }}");
  const auto result = run_program(record(model, {"--prompt", "Hi"}));
  CHECK(result.status == 0);
  CHECK(result.err.find("notice: the checkpoint's chat template is unknown") != std::string::npos);
  CHECK(sql(model, "SELECT id FROM tokens WHERE phase = 'prefill'").size() == 2);
}

TEST_CASE("record, a prompt from a file and from standard input is the same as from the argument") {
  const support::TalkingCheckpoint model;
  const std::string text = "two\nlines \xc3\xa9";
  support::write_file(model / "prompt", text);
  const auto argument = run_program(record(model, {"--raw", "--prompt", text}));
  const auto file =
      run_program(record(model, {"--raw", "--overwrite", "--prompt-file", (model / "prompt").string()}));
  const auto piped =
      run_program(record(model, {"--raw", "--overwrite", "--prompt-file", "-"}), {.input = text});
  REQUIRE(argument.status == 0);
  CHECK(argument.out == file.out);
  CHECK(argument.out == piped.out);
}

TEST_CASE("record, chains share the prompt and differ when sampled") {
  const support::TalkingCheckpoint model(dms_options());
  const auto result = run_program(
      record(model, {"--prompt", "Hello", "--raw", "--chains", "3", "--temperature", "1", "--json"}));
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json summary = json::parse(result.out);
  REQUIRE(summary["ids"].size() == 3);
  CHECK(summary["ids"][0] != summary["ids"][1]);
  CHECK(summary["prompt_tokens"] == 5);
  CHECK(summary["decode_tokens"] == 120);
}

TEST_CASE("record, a seed decides the samples") {
  const support::TalkingCheckpoint model;
  const auto sampled = [&](const char* seed) {
    const auto result = run_program(record(model, {"--prompt", "Hello", "--raw", "--temperature", "1",
                                                   "--seed", seed, "--json", "--overwrite"}));
    REQUIRE(result.status == 0);
    return json::parse(result.out)["ids"];
  };
  const json first = sampled("1");
  CHECK(first == sampled("1"));
  CHECK(first != sampled("2"));
}

TEST_CASE("record, --quality measures the answer against the dense model, and the trace keeps it") {
  const support::TalkingCheckpoint model(dms_options());
  const auto result = run_program(record(model, {"--prompt", "Hello", "--raw", "--json", "--quality"}));
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json quality = json::parse(result.out)["quality"];
  CHECK(quality["positions"] == 40);  // what each of the 40 tokens was sampled from
  CHECK(quality["mean_kl"] > 0);
  CHECK(quality["seconds"] > 0);
  const json kept = sql(model,
                        "SELECT min(position) AS first, count(*) AS n, avg(value) AS mean FROM quality "
                        "WHERE measure = 'kl'");
  CHECK(kept[0]["first"] == 4);
  CHECK(kept[0]["n"] == 40);
  CHECK(kept[0]["mean"].get<double>() == Catch::Approx(quality["mean_kl"].get<double>()));
  const auto stats = run_program({"stats", (model / "t.db").string(), "--json"});
  const json in_stats = json::parse(stats.out)["quality"];
  CHECK(in_stats["kl"]["mean"].get<double>() == Catch::Approx(quality["mean_kl"].get<double>()));
  CHECK(in_stats["top1"]["mean"].get<double>() == Catch::Approx(quality["top1_agreement"].get<double>()));
}

TEST_CASE("record, --quality-prompt measures the prompt too, and a dense run agrees with itself") {
  const support::TalkingCheckpoint model(dms_options());
  const auto result = run_program(
      record(model, {"--prompt", "Hello", "--raw", "--json", "--quality-prompt", "--policy", "dense"}));
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json quality = json::parse(result.out)["quality"];
  CHECK(quality["positions"] == 44);
  CHECK(quality["mean_kl"].get<double>() < 1e-6);
  CHECK(quality["top1_agreement"] == 1.0);
}

TEST_CASE("record, without --quality there is none") {
  const support::TalkingCheckpoint model(dms_options());
  const auto result = run_program(record(model, {"--prompt", "Hello", "--raw", "--json"}));
  REQUIRE(result.status == 0);
  CHECK(json::parse(result.out)["quality"].is_null());
  CHECK(json::parse(run_program({"stats", (model / "t.db").string(), "--json"}).out)["quality"].is_null());
}
