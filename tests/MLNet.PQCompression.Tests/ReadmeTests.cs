namespace MLNet.PQCompression.Tests;

public sealed class ReadmeTests
{
    [Theory]
    [InlineData("docs/mlnet.md", "options")]
    public void The_pages_show_code_that_compiles(string page, string name)
    {
        string[] lines = File.ReadAllLines(Repository.File("tests/MLNet.PQCompression.Tests/ReadmeSnippet.cs"));
        int first = Array.FindIndex(lines, l => l.Trim() == $"// <{name}>") + 1, last = Array.FindIndex(lines, l => l.Trim() == $"// </{name}>");
        string snippet = string.Join('\n', lines[first..last].Select(l => l.Length > 8 ? l[8..] : ""));
        Assert.Contains("CompressModel", snippet, StringComparison.Ordinal);
        Assert.Contains($"```csharp\n{snippet}\n```", File.ReadAllText(Repository.File(page)).ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
