using System.CommandLine;
using System.Text;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Reporting.Html;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--report FILE.html and --report FILE.json.</summary>
internal sealed class ReportOption
{
    private const string SchemaFile = "compression-report.schema.json";

    private readonly Option<string[]> _files = new("--report")
    {
        HelpName = "FILE.html|FILE.json",
        Description = "Write a report: one page to look at, or JSON with its schema beside it. Repeatable.",
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
    };

    public ReportOption() => _files.Validators.Add(result =>
    {
        foreach (string file in result.Tokens.Select(t => t.Value))
            if (!IsHtml(file) && !IsJson(file))
                result.AddError($"--report '{file}': expected a name that ends in .html or .json.");
    });

    public Option Symbol => _files;

    /// <summary>Whether any is wanted.</summary>
    public bool IsGiven(ParseResult arguments) => arguments.GetValue(_files) is { Length: > 0 };

    /// <summary>Fails early where a file could not be written in the end.</summary>
    public void Check(ParseResult arguments, bool overwrite)
    {
        foreach (string file in arguments.GetValue(_files)!)
            AtomicFile.CheckTarget(file, overwrite);
    }

    /// <summary>Writes them.</summary>
    /// <param name="arguments">What was parsed.</param>
    /// <param name="overwrite">Whether existing files are replaced.</param>
    /// <param name="document">What to report.</param>
    /// <param name="pictures">Pictures of the images with the largest differences, made where a page is wanted.</param>
    public void Write(ParseResult arguments, bool overwrite, CompressionDocument document, Func<IReadOnlyDictionary<string, string>> pictures)
    {
        foreach (string file in arguments.GetValue(_files)!)
        {
            Write(file, overwrite, IsHtml(file) ? HtmlReport.Create(document, pictures()) : document.ToJson());
            if (IsJson(file))
                Write(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, SchemaFile), overwrite: true, ReportJson.CompressionDocumentSchema());
        }
    }

    private static void Write(string file, bool overwrite, string text) => AtomicFile.Write(file, overwrite, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private static bool IsHtml(string file) => file.EndsWith(".html", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".htm", StringComparison.OrdinalIgnoreCase);

    private static bool IsJson(string file) => file.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
}
