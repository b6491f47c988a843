#include "app/gui/widgets/glossary.hpp"

#include <algorithm>
#include <array>

namespace app::gui {

namespace {

constexpr std::array kEntries{
    GlossaryEntry{
        "KV head",
        "One of the parallel memories of a layer. Each keeps keys and values of tokens, and decides "
        "for itself which of them to let go."},
    GlossaryEntry{"slot", "Room for the key and the value of one token in one KV head."},
    GlossaryEntry{
        "window",
        "The newest tokens, which every head still sees. A token that is marked stays visible until "
        "it leaves the window."},
    GlossaryEntry{"kept", "Past the window and not marked: stays in the cache for good."},
    GlossaryEntry{"doomed", "Marked for eviction and still visible: gone as soon as it leaves the window."},
    GlossaryEntry{"evicted", "Left the window marked: no longer seen, and a newer token has its slot."},
    GlossaryEntry{"undecided", "So new that the model has not judged it yet."},
    GlossaryEntry{"logit", "The number with which a head judges a token. Above the threshold it is marked."},
    GlossaryEntry{"threshold \u03b8", "A token is marked where its logit is above it. Higher keeps more."},
    GlossaryEntry{"margin",
                  "How far a logit is from the threshold: near zero, a small change turns the decision."},
    GlossaryEntry{"lag",
                  "How many tokens later a token is judged. With lag 1 the newest one is always undecided."},
    GlossaryEntry{"CR", "Compression ratio: slots of a dense cache divided by live slots."},
    GlossaryEntry{"live slots", "Slots that hold a token which is still seen."},
    GlossaryEntry{"logical", "Bytes of the live slots: what eviction leaves."},
    GlossaryEntry{"allocated",
                  "Bytes of the pages held, with the free slots in them: what the memory really costs."},
    GlossaryEntry{"dense", "The cache without eviction: every token in every head."},
    GlossaryEntry{"KV reads",
                  "Slots read by attention, summed over the run: what decoding costs in memory traffic."},
    GlossaryEntry{"peak", "The most slots that were live at once: the memory the run needs."},
    GlossaryEntry{"KL to dense",
                  "How far the distribution of the next token is from the dense model's, in nats. Zero is "
                  "the same."},
    GlossaryEntry{"dropped",
                  "Records that were left out of the trace or of this window because they came too fast, or "
                  "contradicted others. Tokens and decisions never are."},
    GlossaryEntry{"recording cost",
                  "Processor time of writing the trace, as a share of the run's time on one core."},
    GlossaryEntry{
        "profiling cost",
        "How much slower decoding is with profiling than without: GPU times are taken by CUPTI, which "
        "is not free."},
    GlossaryEntry{
        "copy ceiling",
        "The bandwidth that copying memory reaches on this GPU: what a kernel that mostly moves bytes "
        "can be measured against."},
    GlossaryEntry{"unattributed",
                  "Kernels and copies whose operation is not known. They are counted and never guessed."},
    GlossaryEntry{"sinks", "First tokens that a policy never evicts."},
    GlossaryEntry{"preview",
                  "What another threshold or window would keep, from the stored logits: exact in the first "
                  "layer, an estimate above it. Its quality is unknown until a run has verified it."},
};

}  // namespace

std::span<const GlossaryEntry> glossary() {
  return kEntries;
}

const GlossaryEntry* glossary_entry(std::string_view word) {
  const auto found =
      std::find_if(kEntries.begin(), kEntries.end(), [&](const GlossaryEntry& e) { return word == e.word; });
  return found == kEntries.end() ? nullptr : &*found;
}

void glossary_tip(Ui& ui, std::string_view word) {
  if (!ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled)) return;
  const GlossaryEntry* entry = glossary_entry(word);
  if (entry == nullptr || !ImGui::BeginTooltip()) return;
  label(ui, entry->word, Role::text, Face::ui_strong, text_size::kTable);
  ImGui::PushTextWrapPos(ui.px(300));
  label(ui, entry->meaning, Role::text2, Face::ui, text_size::kTable);
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

}  // namespace app::gui
