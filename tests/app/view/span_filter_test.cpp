#include "app/view/span_filter.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/app/view/span_run.hpp"

using app::view::SpanFilter;

namespace {

//                             start end      step layer operation kernel device stream
const engine::Span kAttention{0, 25'000, 7, 3, 1, 1, 0, 5, 2, 50'000'000};  // graph 2, 2,000 GB/s
const engine::Span kMlp{0, 1'500'000, 8, -1, 2, 0, -1, 0};

// Which of the two match: "a", "m", "am" or "".
std::string matching(const std::string& expression) {
  const auto parsed = SpanFilter::parse(expression);
  if (!parsed) return parsed.error().message;
  const SpanFilter::Bound filter = parsed->bind(*view_test::span_run({}));
  return std::string(filter.matches(kAttention) ? "a" : "") + (filter.matches(kMlp) ? "m" : "");
}

}  // namespace

TEST_CASE("SpanFilter, compares fields with values") {
  CHECK(matching("") == "am");
  CHECK(matching("  ") == "am");
  CHECK(matching("dur > 20us") == "am");
  CHECK(matching("dur>25us") == "m");
  CHECK(matching("dur >= 25us") == "am");
  CHECK(matching("dur = 1.5ms") == "m");
  CHECK(matching("dur < 0.001s") == "a");
  CHECK(matching("dur != 25000") == "m");
  CHECK(matching("dur <= 25000ns") == "a");
  CHECK(matching("layer = 3") == "a");
  CHECK(matching("layer < 0") == "m");
  CHECK(matching("step >= 8") == "m");
  CHECK(matching("device = -1") == "m");
  CHECK(matching("stream = 5") == "a");
  CHECK(matching("graph = 2") == "a");
  CHECK(matching("graph < 0") == "m");
}

TEST_CASE("SpanFilter, compares bytes and bandwidth, which what has no known bytes never matches") {
  CHECK(matching("bytes = 50MB") == "a");
  CHECK(matching("bytes > 48000KiB") == "a");
  CHECK(matching("bytes >= 0.05GB") == "a");
  CHECK(matching("bytes < 1GiB") == "a");
  CHECK(matching("bytes != 7") == "a");
  CHECK(matching("bytes > 50000001").empty());
  CHECK(matching("gbps > 1999.9 and gbps < 2000.1") == "a");
  CHECK(matching("not gbps > 0") == "m");
  CHECK(matching("bytes > 3us") == "filter, character 9: \"3us\" is not a size such as 64KB or 1MiB");
  CHECK(matching("gbps > 2GB") == "filter, character 8: \"2gb\" is not a number");
}

TEST_CASE("SpanFilter, knows kernels that were named during the run") {
  app::view::RunModel model;
  model.on_event(view_test::span_facts());
  const auto filter = SpanFilter::parse("name ~ splitk");
  REQUIRE(filter);
  engine::Span span = kMlp;
  span.kernel = 2;
  CHECK_FALSE(filter->bind(*model.snapshot()).matches(span));
  model.on_event(engine::KernelsNamed{{"gemv_SplitK<8>"}});
  CHECK(filter->bind(*model.snapshot()).matches(span));
  const auto whole = SpanFilter::parse("name = 'gemv_splitk<8>' and not name = splitk");
  REQUIRE(whole);
  CHECK(whole->bind(*model.snapshot()).matches(span));
}

TEST_CASE("SpanFilter, names match operations and kernels, in any case") {
  CHECK(matching("name ~ ATTN") == "a");
  CHECK(matching("name ~ attention") == "a");
  CHECK(matching("name = mlp") == "m");
  CHECK(matching("name = ml").empty());
  CHECK(matching("name != mlp") == "a");
  CHECK(matching("gemv") == "m");
  CHECK(matching("'attn_decode'") == "a");
}

TEST_CASE("SpanFilter, and binds tighter than or, not tighter than both") {
  CHECK(matching("dur > 20us and name ~ attn") == "a");
  CHECK(matching("mlp or attn and step = 8") == "m");
  CHECK(matching("(mlp or attn) and step = 7") == "a");
  CHECK(matching("not mlp and dur > 1us") == "a");
  CHECK(matching("not (mlp or attn)").empty());
  CHECK(matching("NOT mlp AND not not attn") == "a");
}

TEST_CASE("SpanFilter, what is no expression is refused with the place and what was expected") {
  CHECK(matching("dur >") == "filter, character 6: a value is missing");
  CHECK(matching("dur > fast") == "filter, character 7: \"fast\" is not a duration such as 20us");
  CHECK(matching("layer > 2us") == "filter, character 9: \"2us\" is not a number");
  CHECK(matching("size > 2") ==
        "filter, character 1: \"size\" is not one of name, dur, bytes, gbps, layer, step, device, "
        "stream, graph");
  CHECK(matching("attn mlp") == "filter, character 6: \"mlp\" is not expected here");
  CHECK(matching("(attn") == "filter, character 6: \")\" is missing");
  CHECK(matching("> 3") == "filter, character 1: \">\" is not a field or a name");
  CHECK(matching("attn and") == "filter, character 9: a field or a name is missing");
  CHECK(matching("dur ~ 3") == "filter, character 7: ~ compares names only");
  CHECK(matching("name > attn") == "filter, character 8: names compare with ~, = and != only");
  CHECK(matching("name ~ 'attn") == "filter, character 8: the quote does not end");
  CHECK(matching(std::string(100'000, '(')).find("more than 100 levels") != std::string::npos);
}
