using System.Text.RegularExpressions;

namespace MLNet.PQCompression.Docs.Tests;

/// <summary>Sentences stay short: words a sentence, without tables, headings and code.</summary>
public sealed partial class ProseTests
{
    [Fact]
    public void ReadmeHasShortSentences() => Check(Repository.Pages.Single(p => p.Path == "README.md"), percentile90: 22, longest: 32);

    [Fact]
    public void UserPagesHaveShortSentences() => Assert.All(Repository.UserPages, page => Check(page, percentile90: 26, longest: 40));

    private static void Check(DocumentationPage page, int percentile90, int longest)
    {
        (int Words, string Text)[] sentences = [.. page.Paragraphs.SelectMany(p => SentenceEnd().Split(p)).Select(s => (Words().Count(s), s.Trim())).Where(s => s.Item1 > 0).OrderBy(s => s.Item1)];
        if (sentences.Length == 0)
            return;
        int p90 = sentences[(sentences.Length - 1) * 9 / 10].Words;
        Assert.True(sentences[^1].Words <= longest, $"{page}: a sentence of {sentences[^1].Words} words (at most {longest}): {sentences[^1].Text}");
        Assert.True(p90 <= percentile90, $"{page}: nine of ten sentences are to have at most {percentile90} words, here {p90}: {sentences[(sentences.Length - 1) * 9 / 10].Text}");
    }

    [GeneratedRegex(@"(?<=[.!?]['”)]?)\s+(?=[\p{Lu}\d(‘“])")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"[\p{L}\d][\p{L}\d'’.,×/%-]*")]
    private static partial Regex Words();
}
