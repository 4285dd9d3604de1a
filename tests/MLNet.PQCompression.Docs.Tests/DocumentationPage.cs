using Markdig;
using Markdig.Extensions.Tables;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace MLNet.PQCompression.Docs.Tests;

/// <summary>One Markdown page of the repository.</summary>
/// <param name="Path">Its path, relative to the repository's root, with slashes.</param>
internal sealed record DocumentationPage(string Path)
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(Markdig.Extensions.AutoIdentifiers.AutoIdentifierOptions.GitHub).Build();

    private readonly Lazy<MarkdownDocument> _document = new(() => Markdown.Parse(File.ReadAllText(System.IO.Path.Combine(Repository.Root, Path)), Pipeline));

    /// <summary>The parsed page.</summary>
    public MarkdownDocument Document => _document.Value;

    /// <summary>The identifiers of its headings, as GitHub makes them.</summary>
    public IEnumerable<string> Anchors => Document.Descendants<HeadingBlock>().Select(h => Markdig.Renderers.Html.HtmlAttributesExtensions.TryGetAttributes(h)?.Id).OfType<string>();

    /// <summary>The targets of its links and pictures.</summary>
    public IEnumerable<string> Links => Document.Descendants<LinkInline>().Select(l => l.Url).OfType<string>();

    /// <summary>The code blocks of a language; the empty name stands for indented blocks.</summary>
    public IEnumerable<string> Code(string language) => Document.Descendants<CodeBlock>()
        .Where(b => (b is FencedCodeBlock fenced ? fenced.Info ?? "" : "") == language)
        .Select(b => b.Lines.ToString());

    /// <summary>The running text, a paragraph or list item each; tables, headings and code are left out.</summary>
    public IEnumerable<string> Paragraphs => Document.Descendants<ParagraphBlock>()
        .Where(p => !IsInTable(p) && p.Inline is not null)
        .Select(p => Text(p.Inline!));

    public override string ToString() => Path;

    private static bool IsInTable(Block block)
    {
        for (Block? b = block; b is not null; b = b.Parent)
            if (b is Table)
                return true;
        return false;
    }

    private static string Text(ContainerInline inlines) => string.Concat(inlines.Select(inline => inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline => "code",
        LineBreakInline => " ",
        LinkInline { IsImage: true } => "",
        ContainerInline container => Text(container),
        _ => "",
    }));
}
