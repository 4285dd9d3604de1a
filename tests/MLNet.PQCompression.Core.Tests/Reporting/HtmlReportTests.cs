using System.Text.Json.Nodes;
using System.Xml.Linq;
using Json.Schema;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Reporting.Html;
using MLNet.PQCompression.Tests.Compression;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class HtmlReportTests
{
    private static readonly Lazy<CompressionDocument> Document = new(Make);

    [Fact]
    public void The_page_is_whole_and_needs_nothing_from_outside()
    {
        string page = HtmlReport.Create(Document.Value, new Dictionary<string, string> { ["image 3"] = "data:image/png;base64,AAAA" });
        XElement html = XDocument.Parse(page.Replace("<!doctype html>", "", StringComparison.Ordinal)).Root!;
        Assert.DoesNotContain(html.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe");
        Assert.DoesNotContain("http", page, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(Document.Value.Summary.Layers.Count, html.Descendants("tbody").Elements("tr").Count());
        Assert.Equal(Document.Value.Summary.HeldOut!.Worst.Count, html.Descendants("figure").Count());
        Assert.Contains("net.pq.onnx", html.Element("head")!.Element("title")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_from_files_cannot_become_markup()
    {
        const string hostile = "<script>alert(1)</script>\"'&";
        CompressionDocument document = Document.Value with { Classes = [.. Enumerable.Repeat(hostile, 12)], Images = Document.Value.Images with { Source = hostile } };
        string page = HtmlReport.Create(document with { Summary = document.Summary with { Layers = [.. document.Summary.Layers.Select(l => l with { Weight = hostile, Reason = hostile })], Skipped = [new(hostile, hostile)] } });
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        XElement html = XDocument.Parse(page.Replace("<!doctype html>", "", StringComparison.Ordinal)).Root!;
        Assert.Contains(html.Descendants("dd"), d => d.Value == hostile);
        Assert.All(html.Descendants("tbody").Elements("tr"), r => Assert.Equal(hostile, r.Element("th")!.Value));
    }

    [Fact]
    public void The_curve_is_drawn_where_there_is_one()
    {
        Assert.DoesNotContain("polyline class=\"curve\"", HtmlReport.Create(Document.Value), StringComparison.Ordinal);
        CompressionDocument document = Document.Value with { Curve = [new(20_000, 0.5), new(40_000, 0.1, IsChosen: true), new(90_000, 0.01)] };
        XElement html = XDocument.Parse(HtmlReport.Create(document).Replace("<!doctype html>", "", StringComparison.Ordinal)).Root!;
        double[] points = [.. html.Descendants("polyline").Single(p => p.Attribute("class")?.Value == "curve").Attribute("points")!.Value.Split(' ', ',').Select(v => double.Parse(v, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(6, points.Length);
        Assert.True(points[0] < points[2] && points[2] < points[4] && points[1] < points[3] && points[3] < points[5]);
        Assert.Single(html.Descendants("circle"));
    }

    [Fact]
    public void The_json_fits_its_schema_and_the_schema_refuses_other_things()
    {
        var schema = JsonSchema.FromText(ReportJson.CompressionDocumentSchema());
        JsonNode json = JsonNode.Parse((Document.Value with { Curve = [new(1, 2)] }).ToJson())!;
        EvaluationResults result = schema.Evaluate(System.Text.Json.JsonSerializer.SerializeToElement(json), new() { OutputFormat = OutputFormat.List });
        Assert.True(result.IsValid, string.Join('\n', (result.Details ?? []).Where(d => d.Errors is not null).Select(d => $"{d.InstanceLocation}: {string.Join(", ", d.Errors!.Values)}")));
        json["summary"]!["fileBytes"] = "many";
        Assert.False(schema.Evaluate(System.Text.Json.JsonSerializer.SerializeToElement(json)).IsValid);
    }

    private static CompressionDocument Make()
    {
        ModelGraph teacher = TestNetworks.Residual();
        CompressionResult result = ModelCompressor.Compress(teacher, new TestNetworks.Images(40), new() { Codewords = 16 });
        return new()
        {
            Model = "net.onnx",
            ModelBytes = 12345,
            Summary = CompressionSummary.Of(result, "out/net.pq.onnx", 4321) with { HeldOut = HeldOutCheck.Run(teacher, result.Student, new TestNetworks.Images(20, seed: 9)) },
            Images = new("photos", 60, 40, 20, "resize=exact", "an option"),
            Configuration = new JsonObject { ["blocks"] = "small" },
            MadeBy = MadeBy.Here("00ff"),
        };
    }
}
