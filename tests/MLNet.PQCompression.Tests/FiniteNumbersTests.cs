using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests;

/// <summary>Numbers that are none, in a model or in a row: fitting and scoring end with an exception that names the place.</summary>
public sealed class FiniteNumbersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_statistic_that_is_not_a_number_is_named_by_fit_and_by_scoring()
    {
        ModelGraph graph = TestNetwork.Graph();
        string path = _folder.File("spoilt.onnx");
        OnnxWriter.Write(graph, path, new() { KeepBatchNormStatistics = true });
        byte[] file = File.ReadAllBytes(path);
        BitConverter.GetBytes(float.NaN).CopyTo(file, file.AsSpan().IndexOf(BitConverter.GetBytes(graph.Initializers["bn1.mean"].ToDense().Span[2])));
        File.WriteAllBytes(path, file);
        IDataView data = _context.Data.LoadFromEnumerable(PixelRow.Make(20));
        AssertNames("bn1.mean", () => _context.Transforms.CompressModel("Score", "Image", path).Fit(data));
        AssertNames("bn1.mean", () => Scores(_context.Transforms.ScoreCompressedModel("Score", "Image", path).Fit(data).Transform(data)));
    }

    [Fact]
    public void A_row_with_values_that_are_none_is_refused_by_fit_and_by_scoring()
    {
        string path = TestNetwork.Graph().Save(_folder);
        PixelRow[] rows = PixelRow.Make(20);
        IDataView good = _context.Data.LoadFromEnumerable(PixelRow.Make(20));
        rows[13].Image[7] = float.NaN;
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        AssertNames("not finite", () => _context.Transforms.CompressModel("Score", "Image", path).Fit(data));
        AssertNames("not finite", () => Scores(_context.Transforms.ScoreCompressedModel("Score", "Image", path).Fit(good).Transform(data)));
    }

    private static float[][] Scores(IDataView view) => [.. view.GetColumn<float[]>("Score")];

    private static void AssertNames(string part, Action action)
    {
        Exception thrown = Assert.ThrowsAny<Exception>(action);
        var messages = new List<string>();
        for (Exception? e = thrown; e is not null; e = e.InnerException)
            messages.Add(e.Message);
        Assert.Contains(messages, m => m.Contains(part, StringComparison.Ordinal));
    }
}
