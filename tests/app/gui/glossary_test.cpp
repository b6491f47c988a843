#include "app/gui/widgets/glossary.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

using namespace app::gui;

TEST_CASE("Glossary, every word is explained once, in other words") {
  std::set<std::string> words;
  for (const GlossaryEntry& entry : glossary()) {
    CAPTURE(entry.word);
    CHECK(words.insert(entry.word).second);
    CHECK(std::string(entry.meaning).size() > 30);
    CHECK(std::string(entry.meaning).ends_with('.'));
    CHECK(glossary_entry(entry.word) == &entry);
  }
  CHECK(glossary_entry("zebra") == nullptr);
}

TEST_CASE("Glossary, has the words that the status bar, the chips and the legend point at") {
  for (const char* word :
       {"KV head", "window", "doomed", "kept", "evicted", "CR", "lag", "threshold \u03b8", "sinks", "dense",
        "KV reads", "peak", "KL to dense", "dropped", "recording cost"}) {
    CAPTURE(word);
    CHECK(glossary_entry(word) != nullptr);
  }
}
