namespace MLNet.PQCompression.Reporting.Html;

/// <summary>The check on held-out images, and the images on which the two networks differ most.</summary>
internal static class HeldOutSection
{
    public static HtmlText Of(CompressionDocument document, IReadOnlyDictionary<string, string> pictures) => document.Summary.HeldOut is not { } held
        ? HtmlText.Of($"")
        : HtmlText.Of($"""
            <section>
            <h2>Where the two differ most</h2>
            <p>{held.Meaning}</p>
            <div class="cards">
            {HtmlText.Join(held.Worst, image => Card(image, document, pictures.GetValueOrDefault(image.Image)))}
            </div>
            </section>
            """);

    private static HtmlText Card(ImageComparison image, CompressionDocument document, string? picture) => HtmlText.Of($"""
        <figure class="card">
        {(picture is null ? HtmlText.Of($"<div class=\"nopicture\"></div>") : HtmlText.Of($"<img src=\"{picture}\" alt=\"\"/>"))}
        <figcaption>
        <span class="name">{image.Image}</span>
        <span class="difference">{(image.Teacher.Count > 0 ? "KL" : "1 − cosine")} {image.Difference:0.00}</span>
        {Opinion("teacher", image.Teacher, document)}
        {Opinion("student", image.Student, document)}
        </figcaption>
        </figure>

        """);

    private static HtmlText Opinion(string who, IReadOnlyList<ClassProbability> classes, CompressionDocument document) => classes.Count == 0
        ? HtmlText.Of($"")
        : HtmlText.Of($"<ol class=\"opinion\"><li class=\"who\">{who}</li>{HtmlText.Join(classes.Take(2), c => HtmlText.Of($"<li><span>{Name(c.Class, document)}</span><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"8\"/><rect class=\"size\" width=\"{100 * c.Probability:0.#}\" height=\"8\"/></svg><i>{c.Probability:0%}</i></li>"))}</ol>");

    private static string Name(int index, CompressionDocument document) => index < document.Classes.Count ? document.Classes[index] : FormattableString.Invariant($"class {index}");
}
