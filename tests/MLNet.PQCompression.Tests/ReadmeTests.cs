namespace MLNet.PQCompression.Tests;

public sealed class ReadmeTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("src/MLNet.PQCompression/README.md")]
    public void The_READMEs_show_code_that_compiles(string readme)
    {
        string[] lines = File.ReadAllLines(Repository.File("tests/MLNet.PQCompression.Tests/ReadmeSnippet.cs"));
        int first = Array.FindIndex(lines, l => l.Trim() == "// <snippet>") + 1, last = Array.FindIndex(lines, l => l.Trim() == "// </snippet>");
        string snippet = string.Join('\n', lines[first..last].Select(l => l.Length > 8 ? l[8..] : ""));
        Assert.Contains("CompressModel", snippet, StringComparison.Ordinal);
        Assert.Contains($"```csharp\n{snippet}\n```", File.ReadAllText(Repository.File(readme)).ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
