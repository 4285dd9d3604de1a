using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Tests;

/// <summary>The transformer in a pipeline: columns, cursors, engines, evaluation.</summary>
public sealed class ScoringTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly PixelRow[] _rows = PixelRow.Make(75);
    private readonly IDataView _data;
    private readonly string _model;
    private readonly float[][] _expected;

    public ScoringTests()
    {
        _model = TestNetwork.Graph().Save(_folder);
        _data = _context.Data.LoadFromEnumerable(_rows);
        _expected = ReferenceScores.Of(_model, _rows.Select(r => r.Image));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_are_scored_in_order_and_other_columns_pass()
    {
        using PqCompressionTransformer model = Fit();
        IDataView scored = model.Transform(_data);
        Assert.Equal(75, scored.GetRowCount());
        Assert.Equal(_rows.Select(r => r.Name), scored.GetColumn<string>("Name"));
        AssertScores(scored);
        Assert.Equal(_expected.Select(e => (uint)(Array.IndexOf(e, e.Max()) + 1)), scored.GetColumn<uint>("PredictedLabel"));
    }

    [Fact]
    public void All_columns_together_agree_row_by_row()
    {
        using PqCompressionTransformer model = Fit();
        IDataView scored = model.Transform(_data);
        using DataViewRowCursor cursor = scored.GetRowCursor(scored.Schema);
        var getName = cursor.GetGetter<ReadOnlyMemory<char>>(scored.Schema["Name"]);
        var getImage = cursor.GetGetter<VBuffer<float>>(scored.Schema["Image"]);
        var getScore = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
        ReadOnlyMemory<char> name = default;
        VBuffer<float> image = default, score = default;
        Assert.Equal(-1, cursor.Position);
        for (int i = 0; i < 75; i++)
        {
            Assert.True(cursor.MoveNext());
            Assert.Equal(i, cursor.Position);
            if (i % 3 == 1)
                continue;
            getName(ref name);
            getImage(ref image);
            getScore(ref score);
            Assert.Equal(_rows[i].Name, name.ToString());
            Assert.Equal(_rows[i].Image, image.DenseValues());
            ReferenceScores.AssertClose(_expected[i], [.. score.DenseValues()]);
        }
        Assert.False(cursor.MoveNext());
        Assert.Equal(-1, cursor.Position);
        Assert.Throws<InvalidOperationException>(() => getScore(ref score));
    }

    [Fact]
    public void A_row_scores_the_same_bits_in_a_batch_and_alone()
    {
        using PqCompressionTransformer model = Fit();
        float[][] batched = [.. model.Transform(_data).GetColumn<float[]>("Score")];
        using var engine = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(model);
        for (int i = 0; i < _rows.Length; i++)
            Assert.Equal(batched[i], engine.Predict(_rows[i]).Score);
    }

    [Fact]
    public void Nothing_is_read_before_a_score_is_asked_for()
    {
        int read = 0;
        IDataView data = _context.Data.LoadFromEnumerable(_rows.Select(r => { read++; return r; }));
        using PqCompressionTransformer model = Fit();
        IDataView scored = model.Transform(data);
        Assert.Equal(0, read);
        Assert.Equal(3, scored.Preview(3).RowView.Length);
        Assert.InRange(read, 3, 8);
        Assert.Equal(75, scored.GetColumn<string>("Name").Count());
    }

    [Fact]
    public void Columns_that_were_not_asked_for_have_no_getter()
    {
        using PqCompressionTransformer model = Fit();
        IDataView scored = model.Transform(_data);
        using DataViewRowCursor cursor = scored.GetRowCursor([scored.Schema["Score"]]);
        Assert.False(cursor.IsColumnActive(scored.Schema["Name"]));
        Assert.Throws<ArgumentException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(scored.Schema["Name"]));
        Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(scored.Schema["Score"]));
    }

    [Fact]
    public void A_set_of_cursors_gives_every_row_once()
    {
        using PqCompressionTransformer model = Fit();
        IDataView scored = model.Transform(_data);
        DataViewRowCursor[] cursors = scored.GetRowCursorSet(scored.Schema, 3);
        var found = new Dictionary<string, float[]>();
        foreach (DataViewRowCursor cursor in cursors)
        {
            var getName = cursor.GetGetter<ReadOnlyMemory<char>>(scored.Schema["Name"]);
            var getScore = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
            ReadOnlyMemory<char> name = default;
            VBuffer<float> score = default;
            while (cursor.MoveNext())
            {
                getName(ref name);
                getScore(ref score);
                found.Add(name.ToString(), [.. score.DenseValues()]);
            }
            cursor.Dispose();
        }
        Assert.Equal(75, found.Count);
        for (int i = 0; i < 75; i++)
            ReferenceScores.AssertClose(_expected[i], found[_rows[i].Name]);
    }

    [Fact]
    public void Cache_and_shuffle_before_and_behind()
    {
        using PqCompressionTransformer model = Fit();
        IDataView cached = _context.Data.Cache(model.Transform(_data), "Score", "Name");
        AssertScores(cached);
        AssertScores(cached);
        IDataView shuffledBefore = model.Transform(_context.Data.ShuffleRows(_data, 5));
        IDataView shuffledBehind = _context.Data.ShuffleRows(model.Transform(_data), 5);
        foreach (IDataView shuffled in new[] { shuffledBefore, shuffledBehind })
        {
            string[] names = [.. shuffled.GetColumn<string>("Name")];
            Assert.NotEqual(_rows.Select(r => r.Name), names);
            float[][] scores = [.. shuffled.GetColumn<float[]>("Score")];
            for (int i = 0; i < 75; i++)
                ReferenceScores.AssertClose(_expected[int.Parse(names[i].Split(' ')[1])], scores[i]);
        }
    }

    [Fact]
    public void Ids_and_filters_pass()
    {
        using PqCompressionTransformer model = Fit();
        IDataView filtered = _context.Data.FilterByCustomPredicate<PixelRow>(_data, r => r.Class == "bee");
        Assert.Equal(60, model.Transform(filtered).GetColumn<float[]>("Score").Count());
        Assert.Equal(Ids(_data), Ids(model.Transform(_data)));
        Assert.Equal(10, _context.Data.TakeRows(model.Transform(_data), 10).GetColumn<float[]>("Score").Count());
    }

    [Fact]
    public void Scores_carry_slot_names_and_the_label_its_key_values()
    {
        using PqCompressionTransformer model = Fit();
        DataViewSchema schema = model.GetOutputSchema(_data.Schema);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 5), schema["Score"].Type);
        Assert.Equal(new KeyDataViewType(typeof(uint), 5), schema["PredictedLabel"].Type);
        VBuffer<ReadOnlyMemory<char>> names = default;
        schema["Score"].GetSlotNames(ref names);
        Assert.Equal(TestNetwork.Classes, names.DenseValues().Select(n => n.ToString()));
        schema["PredictedLabel"].GetKeyValues(ref names);
        Assert.Equal(TestNetwork.Classes, names.DenseValues().Select(n => n.ToString()));
        ReadOnlyMemory<char> kind = default;
        schema["Score"].Annotations.GetValue("ScoreColumnKind", ref kind);
        Assert.Equal("MulticlassClassification", kind.ToString());
    }

    [Fact]
    public void The_schema_shape_is_what_the_schema_turns_out_to_be()
    {
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label", "Class", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(_context.Transforms.ScoreCompressedModel("Score", "Image", _model))
            .Append(_context.Transforms.Conversion.MapKeyToValue("PredictedClass", "PredictedLabel"))
            .AppendCacheCheckpoint(_context)
            .Append(_context.Transforms.Concatenate("Features", "Score"));
        using var model = pipeline.Fit(_data);
        IDataView scored = model.Transform(_data);
        Assert.Equal(TestNetwork.Classes[Array.IndexOf(_expected[0], _expected[0].Max())], scored.GetColumn<string>("PredictedClass").First());
        AssertScores(scored);

        SchemaShape shape = _context.Transforms.ScoreCompressedModel("Score", "Image", _model).GetOutputSchema(_context.Transforms.CopyColumns("Copy", "Image").GetOutputSchema(PixelRow.Shape()));
        SchemaShape.Column score = shape.Single(c => c.Name == "Score"), label = shape.Single(c => c.Name == "PredictedLabel");
        Assert.Equal(SchemaShape.Column.VectorKind.Vector, score.Kind);
        Assert.Equal(NumberDataViewType.Single, score.ItemType);
        Assert.Contains(score.Annotations, a => a.Name == "SlotNames");
        Assert.True(label.IsKey);
        Assert.Equal(NumberDataViewType.UInt32, label.ItemType);
        Assert.Contains(label.Annotations, a => a.Name == "KeyValues");
        Assert.Contains(shape, c => c.Name == "Copy");
    }

    [Fact]
    public void Evaluate_counts_as_the_scores_say()
    {
        string[] truth = [.. _expected.Select((e, i) => i % 4 == 0 ? "dog" : TestNetwork.Classes[Array.IndexOf(e, e.Max())])];
        double right = _expected.Zip(truth).Count(p => TestNetwork.Classes[Array.IndexOf(p.First, p.First.Max())] == p.Second) / 75.0;
        double loss = -_expected.Zip(truth).Average(p => Math.Log(p.First[Array.IndexOf(TestNetwork.Classes, p.Second)]));
        IDataView data = _context.Data.LoadFromEnumerable(_rows.Zip(truth, (r, t) => new PixelRow { Image = r.Image, Class = t }));
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label", "Class").Append(_context.Transforms.ScoreCompressedModel("Score", "Image", _model));
        using var model = pipeline.Fit(data);
        MulticlassClassificationMetrics metrics = _context.MulticlassClassification.Evaluate(model.Transform(data), topKPredictionCount: 2);
        Assert.Equal(right, metrics.MicroAccuracy, 6);
        Assert.Equal(loss, metrics.LogLoss, 4);
        Assert.True(metrics.TopKAccuracy >= metrics.MicroAccuracy);
    }

    [Fact]
    public void Scores_follow_the_order_of_the_label()
    {
        // The label's keys come in order of appearance: emu, dog, cow; the other two classes follow.
        PixelRow[] rows = [.. _rows.Where(r => r.Class is "emu" or "dog" or "cow").Reverse()];
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label", "Class").Append(_context.Transforms.ScoreCompressedModel("Score", "Image", _model));
        using var model = pipeline.Fit(data);
        Assert.Equal<string>(["emu", "dog", "cow", "ant", "bee"], [.. model.LastTransformer.ClassNames]);
        IDataView scored = model.Transform(data);
        float[] first = _expected[Array.IndexOf(_rows, rows[0])];
        ReferenceScores.AssertClose([first[4], first[3], first[2], first[0], first[1]], scored.GetColumn<float[]>("Score").First());
        Assert.InRange(_context.MulticlassClassification.Evaluate(scored).MicroAccuracy, 0, 1);
    }

    [Fact]
    public void Logits_by_option_and_a_network_that_ends_in_softmax()
    {
        float[] probabilities = _expected[0];
        string softmax = TestNetwork.Graph(endsInSoftmax: true).Save(_folder, "softmax.onnx");
        ReferenceScores.AssertClose(probabilities, Fit(o => o.ModelFile = softmax).Transform(_data).GetColumn<float[]>("Score").First());
        float[] logits = Fit(o => o.ApplySoftmax = false).Transform(_data).GetColumn<float[]>("Score").First();
        Assert.True(logits.Min() < 0 || logits.Sum() > 1.01);
        double sum = logits.Sum(l => Math.Exp(l));
        ReferenceScores.AssertClose(probabilities, [.. logits.Select(l => (float)(Math.Exp(l) / sum))]);
    }

    [Fact]
    public void Engines_share_one_session_and_outlive_each_other()
    {
        using PqCompressionTransformer model = Fit();
        var first = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(model);
        using var second = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(model);
        float[] before = first.Predict(_rows[0]).Score;
        first.Dispose();
        Assert.Equal(before, second.Predict(_rows[0]).Score);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, t =>
        {
            var engine = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(model);
            for (int i = t; i < 75; i += 8)
                ReferenceScores.AssertClose(_expected[i], engine.Predict(_rows[i]).Score);
        });
    }

    private PqCompressionTransformer Fit(Action<PqScoringEstimator.Options>? change = null)
    {
        var options = new PqScoringEstimator.Options { InputColumnName = "Image", ModelFile = _model };
        change?.Invoke(options);
        return _context.Transforms.ScoreCompressedModel(options).Fit(_data);
    }

    private void AssertScores(IDataView scored)
    {
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        Assert.Equal(_expected.Length, scores.Length);
        for (int i = 0; i < scores.Length; i++)
            ReferenceScores.AssertClose(_expected[i], scores[i]);
    }

    private static DataViewRowId[] Ids(IDataView data)
    {
        using DataViewRowCursor cursor = data.GetRowCursor(data.Schema);
        ValueGetter<DataViewRowId> getter = cursor.GetIdGetter();
        var ids = new List<DataViewRowId>();
        DataViewRowId id = default;
        while (cursor.MoveNext())
        {
            getter(ref id);
            ids.Add(id);
        }
        return [.. ids];
    }
}
