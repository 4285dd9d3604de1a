using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests;

/// <summary>Scores follow the keys of the label, or it is said that they do not: evaluation takes the first score for the first key.</summary>
public sealed class LabelOrderTests : IDisposable
{
    private static readonly int[] Order = [3, 1, 4, 0, 2];

    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly string _named, _unnamed;

    public LabelOrderTests()
    {
        _named = TestNetwork.Graph().Save(_folder);
        _unnamed = TestNetwork.Graph(withClasses: false).Save(_folder, "unnamed.onnx");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Labels_that_are_numbers_are_class_indices()
    {
        IDataView data = _context.Data.LoadFromEnumerable(Order.Select(i => new NumberedRow { Image = TestNetwork.Pixels(i), Class = i }));
        float[][] expected = ReferenceScores.Of(_unnamed, [.. Order.Select(TestNetwork.Pixels)]);
        foreach (string model in new[] { _named, _unnamed })
        {
            IDataView scored = _context.Transforms.Conversion.MapValueToKey("Label", "Class").Append(_context.Transforms.ScoreCompressedModel("Score", "Image", model)).Fit(data).Transform(data);
            float[][] scores = [.. scored.GetColumn<float[]>("Score")];
            for (int i = 0; i < scores.Length; i++)
                ReferenceScores.AssertClose([.. Order.Select(c => expected[i][c])], scores[i]);
        }
    }

    [Fact]
    public void Labels_with_names_need_a_model_with_names()
    {
        IDataView data = _context.Data.LoadFromEnumerable(PixelRow.Make(5));
        IDataView labelled = _context.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(data).Transform(data);
        InvalidModelException e = Assert.Throws<InvalidModelException>(() => _context.Transforms.ScoreCompressedModel("Score", "Image", _unnamed).Fit(labelled));
        Assert.Contains("ant, bee", e.Message, StringComparison.Ordinal);
        Assert.Contains("ClassNames", e.Message, StringComparison.Ordinal);
        var options = new PqScoringEstimator.Options { InputColumnName = "Image", ModelFile = _unnamed, LabelColumnName = null };
        Assert.Equal(5, _context.Transforms.ScoreCompressedModel(options).Fit(labelled).Transform(labelled).GetColumn<float[]>("Score").Count());
    }

    [Fact]
    public void Data_whose_keys_come_in_another_order_than_at_the_fit_are_refused()
    {
        IDataView data = _context.Data.LoadFromEnumerable(PixelRow.Make(5)), reversed = _context.Data.LoadFromEnumerable(PixelRow.Make(5).Reverse());
        IDataView Labelled(IDataView d) => _context.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(d).Transform(d);
        PqCompressionTransformer model = _context.Transforms.ScoreCompressedModel("Score", "Image", _named).Fit(Labelled(data));

        Assert.Equal(5, model.Transform(Labelled(data)).GetColumn<float[]>("Score").Count());
        Assert.Equal(5, model.Transform(data).GetColumn<float[]>("Score").Count());
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => model.Transform(Labelled(reversed)));
        Assert.Contains("emu, dog", e.Message, StringComparison.Ordinal);
        Assert.Contains("MapValueToKey", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_that_is_no_key_is_warned_of()
    {
        var warnings = new List<string>();
        _context.Log += (_, log) => { if (log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning) warnings.Add(log.Message); };
        IDataView data = _context.Data.LoadFromEnumerable([new PathRow { Image = "unread.png", Label = "bee" }]);
        _context.Transforms.ScoreCompressedModel("Score", "Image", _named).Fit(data);
        Assert.Contains(warnings, w => w.Contains("'Label' is no key", StringComparison.Ordinal));
    }

    private sealed class NumberedRow
    {
        [VectorType(TestNetwork.Channels, TestNetwork.Side, TestNetwork.Side)]
        public float[] Image { get; set; } = [];

        public int Class { get; set; }
    }
}
