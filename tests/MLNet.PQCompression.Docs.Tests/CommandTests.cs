using System.CommandLine;
using System.CommandLine.Parsing;
using MLNet.PQCompression.Cli;

namespace MLNet.PQCompression.Docs.Tests;

/// <summary>Every command line of the tool that a page shows is one that the tool understands.</summary>
public sealed class CommandTests
{
    /// <summary>The line that runs the tool from the repository.</summary>
    private const string FromRepository = "dotnet run -c Release --project src/MLNet.PQCompression.Cli -- ";

    [Fact]
    public void EveryCommandLineParses()
    {
        (DocumentationPage Page, string Line)[] lines = [.. from page in Repository.Pages from line in Commands(page) select (page, line)];
        Assert.NotEmpty(lines);
        string[] problems = [.. from item in lines let problem = Problem(item.Line) where problem is not null select $"{item.Page}: {item.Line}: {problem}"];
        Assert.True(problems.Length == 0, string.Join("\n", problems));
    }

    [Fact]
    public void AnOptionThatIsNotThereWouldBeFound() => Assert.NotNull(Problem("compress model.onnx --images photos --output out.onnx --no-such-option"));

    /// <summary>What stands behind the tool's name, ends of lines joined and comments cut; lines of syntax ([optional], one|other, MODEL …) are not commands.</summary>
    private static IEnumerable<string> Commands(DocumentationPage page) =>
        from language in new[] { "", "sh", "bash", "shell", "console" }
        from block in page.Code(language)
        from line in block.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
        let command = line.Trim().Replace(FromRepository, "mlnet-pq ", StringComparison.Ordinal).Split(" # ")[0]
        where command.StartsWith("mlnet-pq ", StringComparison.Ordinal) && !command.Contains('[') && !command.Contains('|') && !command.Contains('…')
        select command["mlnet-pq ".Length..];

    private static string? Problem(string line)
    {
        ParseResult parsed = Tool.CreateRootCommand().Parse(CommandLineParser.SplitCommandLine(line.Replace('\'', '"')).ToArray());
        return parsed.Errors.Count == 0 ? null : string.Join(" ", parsed.Errors.Select(e => e.Message));
    }
}
