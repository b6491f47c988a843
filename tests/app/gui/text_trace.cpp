#include "tests/app/gui/text_trace.hpp"

#include <algorithm>

#include "profiling/trace_writer.hpp"

namespace gui_tests {

namespace {

constexpr std::int32_t kHeads = 4, kWindow = 16, kChunk = 512;
constexpr std::int64_t kStepNs = 1'000'000;

engine::RunStarted run_started(std::int32_t tokens) {
  engine::RunStarted run;
  run.model_name = "none";
  run.architecture = "llama";
  run.weight_dtype = "bf16";
  run.shape = {2, 4, 2, 16, 64, 1000, std::max(1024, tokens)};
  run.device = "none";
  run.backend = "none";
  run.policy = "dms";
  run.window = kWindow;
  run.gate_form = "adapter";
  run.page_slots = 16;
  run.slot_bytes = 64;
  return run;
}

}  // namespace

engine::Status write_text_trace(const std::filesystem::path& path, const std::vector<std::string>& tokens) {
  auto writer = profiling::TraceWriter::create(path, {.overwrite = true});
  if (!writer) return writer.error();
  engine::EventSink& sink = **writer;
  const auto total = static_cast<std::int32_t>(tokens.size());
  sink.on_event(run_started(total));
  sink.on_event(engine::SequenceStarted{});
  engine::Step step = 0;
  for (std::int32_t first = 0; first < total; first += kChunk, ++step) {
    const std::int32_t count = std::min(kChunk, total - first);
    engine::GatesDecided gates{0, first, count, step, {}, {}};
    for (std::int32_t i = 0; i < count; ++i) {
      sink.on_event(engine::TokenAdded{0, first + i, 1, tokens[static_cast<std::size_t>(first + i)],
                                       engine::Phase::prefill, step});
    }
    for (std::int32_t i = 0; i < kHeads * count; ++i) {
      const bool marked = i % count % 2 == 1;
      gates.logits.push_back(marked ? 2.0F : -2.0F);
      gates.marked.push_back(marked);
    }
    sink.on_event(std::move(gates));
    const std::int32_t length = first + count;
    const std::int32_t settled = std::max(0, length - kWindow - 1);
    const std::int32_t live = length - settled / 2;
    sink.on_event(engine::OccupancyChanged{0, step, std::vector<std::int32_t>(kHeads, live),
                                           std::vector<std::int32_t>(kHeads, (live + 15) / 16 * 16)});
    sink.on_event(
        engine::StepFinished{step, engine::Phase::prefill, step * kStepNs, (step + 1) * kStepNs, count, 0});
  }
  sink.on_event(engine::RunFinished{step * kStepNs, "length"});
  return (*writer)->finish();
}

std::vector<std::string> unusual_tokens(std::int32_t words) {
  std::string accents;
  for (int i = 0; i < 20; ++i) accents += "e\u0301";
  std::vector<std::string> tokens{"Words",
                                  " \u05e9\u05dc\u05d5\u05dd",        // Hebrew
                                  " \u0645\u0631\u062d\u0628\u0627",  // Arabic
                                  " \u4f60\u597d",                    // Chinese
                                  " \U0001f44b\U0001f3fd",            // a hand with a tone of skin
                                  " \U0001f469\u200d\U0001f4bb",      // two faces joined
                                  accents,                            //
                                  "\u202egnorw\u202c",                // right to left, overridden
                                  "\xff\xc3",                         // no UTF-8
                                  "\n",                               //
                                  std::string("\0\x1b[31m", 6),       // control characters
                                  "\t\t",                             //
                                  std::string(600, '='),              //
                                  "\n\n"};
  for (std::int32_t i = 0; i < words; ++i) tokens.push_back(i % 17 == 16 ? ".\n" : " word");
  return tokens;
}

}  // namespace gui_tests
