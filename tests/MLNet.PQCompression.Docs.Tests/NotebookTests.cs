using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MLNet.PQCompression.Docs.Tests;

/// <summary>The cells of the notebooks compile in their order, each with what those before it declare.</summary>
public sealed class NotebookTests
{
    /// <summary>What a C# kernel of .NET Interactive opens by itself.</summary>
    private static readonly CSharpCompilationOptions Options = new(
        OutputKind.DynamicallyLinkedLibrary, usings: ["System", "System.Text", "System.Threading.Tasks", "System.Linq", "System.Collections.Generic"]);

    public static TheoryData<string> Notebooks => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples"), "*.ipynb", SearchOption.AllDirectories)];

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void EveryCellCompiles(string notebook)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(notebook));
        CSharpCompilation? before = null;
        foreach (JsonElement cell in json.RootElement.GetProperty("cells").EnumerateArray().Where(c => c.GetProperty("cell_type").GetString() == "code"))
        {
            IEnumerable<string> lines = cell.GetProperty("source").EnumerateArray().Select(l => l.GetString()!).Where(l => !l.StartsWith('#'));
            SyntaxTree tree = CSharpSyntaxTree.ParseText(string.Concat(lines), new(LanguageVersion.Preview, kind: SourceCodeKind.Script));
            before = CSharpCompilation.CreateScriptCompilation($"cell{before?.AssemblyName}", tree, CodeTests.References, Options, before, typeof(object));
            Assert.Empty(before.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error));
        }
        Assert.NotNull(before);
    }
}
