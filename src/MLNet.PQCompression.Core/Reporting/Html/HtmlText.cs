using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace MLNet.PQCompression.Reporting.Html;

/// <summary>HTML under construction. The literal parts of an interpolated string are markup; what is interpolated is text and is encoded, unless it is HTML itself.</summary>
internal sealed class HtmlText
{
    private readonly StringBuilder _text = new();

    /// <summary>Appends markup with text in it.</summary>
    public HtmlText Add([InterpolatedStringHandlerArgument("")] ref Markup markup)
    {
        _ = markup;
        return this;
    }

    /// <summary>The markup of an interpolated string.</summary>
    public static HtmlText Of(ref Markup markup) => markup.Target;

    /// <summary>The pieces one after another.</summary>
    public static HtmlText Join<T>(IEnumerable<T> items, Func<T, HtmlText> piece)
    {
        var all = new HtmlText();
        foreach (T item in items)
            all._text.Append(piece(item)._text);
        return all;
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    /// <summary>Receives the parts of an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Markup
    {
        public Markup(int literalLength, int formattedCount, HtmlText target) => Target = target;

        public Markup(int literalLength, int formattedCount)
            : this(literalLength, formattedCount, new())
        {
        }

        public HtmlText Target { get; }

        public void AppendLiteral(string markup) => Target._text.Append(markup);

        public void AppendFormatted(HtmlText? html) => Target._text.Append(html?._text);

        public void AppendFormatted(string? text) => Target._text.Append(HtmlEncoder.Default.Encode(text ?? ""));

        public void AppendFormatted<T>(T value, string? format = null)
            where T : IFormattable => AppendFormatted(value.ToString(format, CultureInfo.InvariantCulture));
    }
}
