using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests;

/// <summary>Networks that name no classes: features for a trainer, and outputs by name.</summary>
public sealed class TaskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly PixelRow[] _rows = PixelRow.Make(60);
    private readonly IDataView _data;

    public TaskTests() => _data = _context.Data.LoadFromEnumerable(_rows);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_featurizer_makes_one_vector_and_no_label()
    {
        string file = TestNetwork.Graph(withClasses: false).Save(_folder);
        PqCompressionEstimator estimator = _context.Transforms.CompressModel(new PqCompressionEstimator.Options
        {
            Task = ImageTask.Featurizer, InputColumnName = "Image", ModelFile = file, Compression = new() { Codewords = 8, Threads = 1 },
        });
        using PqCompressionTransformer model = estimator.Fit(_data);
        DataViewSchema schema = model.GetOutputSchema(_data.Schema);
        Assert.Equal(["Image", "Name", "Class", "Features"], schema.Select(c => c.Name));
        Assert.Equal(5, Assert.IsType<VectorDataViewType>(schema["Features"].Type).Size);
        Assert.Null(schema.GetColumnOrNull("PredictedLabel"));
        Assert.Empty(model.ClassNames);
        Assert.Contains("straight from the codes", model.Engine, StringComparison.Ordinal);
        Assert.NotNull(model.Report);
        float[][] features = [.. model.Transform(_data).GetColumn<float[]>("Features")];
        Assert.Contains(features, f => Math.Abs(f.Sum() - 1) > 0.1); // no softmax
        ITransformer loaded = SaveAndLoad(model);
        Assert.Equal(["Image", "Name", "Class", "Features"], loaded.GetOutputSchema(_data.Schema).Where(c => !c.IsHidden).Select(c => c.Name));
        Assert.Equal(features, loaded.Transform(_data).GetColumn<float[]>("Features"));
        using PqCompressionTransformer found = Assert.Single(_context.Model.FindCompressedModels(loaded));
        Assert.Equal(ImageTask.Featurizer, found.Task);
        Assert.Equal(features, found.Transform(_data).GetColumn<float[]>("Features"));
    }

    [Fact]
    public void A_trainer_learns_from_cached_features_and_the_whole_survives_a_zip()
    {
        int read = 0;
        IDataView counted = _context.Data.LoadFromEnumerable(_rows.Select(r => { Interlocked.Increment(ref read); return r; }));
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_context.Transforms.ScoreCompressedModel("Features", "Image", TestNetwork.Graph(withClasses: false).Save(_folder), task: ImageTask.Featurizer))
            .AppendCacheCheckpoint(_context)
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy())
            .Append(_context.Transforms.Conversion.MapKeyToValue("PredictedClass", "PredictedLabel"));
        using var model = pipeline.Fit(counted);
        Assert.InRange(read, 1, 5 * _rows.Length); // L-BFGS alone passes over its data dozens of times
        ITransformer loaded = SaveAndLoad(model);
        Assert.Equal(model.Transform(_data).GetColumn<float[]>("Score"), loaded.Transform(_data).GetColumn<float[]>("Score"));
        Assert.Equal(model.Transform(_data).GetColumn<string>("PredictedClass"), loaded.Transform(_data).GetColumn<string>("PredictedClass"));
    }

    [Fact]
    public void Outputs_become_columns_of_their_names()
    {
        ModelGraph graph = TestNetwork.Graph(withClasses: false);
        string file = new ModelGraph(graph.Name, graph.Input, [.. graph.Outputs, new("e", default), new("g", default)], graph.Nodes, graph.Initializers, graph.Metadata).Save(_folder);
        PqScoringEstimator.Options Named(params string[] outputs) => new() { Task = ImageTask.Outputs, ModelOutputs = outputs, InputColumnName = "Image", ModelFile = file };
        PqScoringEstimator estimator = _context.Transforms.ScoreCompressedModel(Named("g", "logits"));
        SchemaShape shape = estimator.Append(_context.Transforms.Concatenate("Both", "g", "logits")).GetOutputSchema(PixelRow.Shape());
        Assert.Contains(shape, c => c.Name == "Both");
        using PqCompressionTransformer model = estimator.Fit(_data);
        IDataView scored = model.Transform(_data);
        Assert.Equal(["Image", "Name", "Class", "g", "logits"], scored.Schema.Select(c => c.Name));
        using PqCompressionTransformer classifier = _context.Transforms.ScoreCompressedModel(
            new PqScoringEstimator.Options { ModelOutputs = ["logits"], InputColumnName = "Image", ModelFile = file, ApplySoftmax = false }).Fit(_data);
        Assert.Equal(classifier.Transform(_data).GetColumn<float[]>("Score"), scored.GetColumn<float[]>("logits"));
        Assert.All(scored.GetColumn<float[]>("g"), g => Assert.Equal(32, g.Length));
        ITransformer loaded = SaveAndLoad(model);
        Assert.Equal(scored.Schema.Select(c => (c.Name, c.Type)), loaded.GetOutputSchema(_data.Schema).Where(c => !c.IsHidden).Select(c => (c.Name, c.Type)));
        Assert.Equal(scored.GetColumn<float[]>("g"), loaded.Transform(_data).GetColumn<float[]>("g"));
        Assert.Equal(scored.GetColumn<float[]>("logits"), loaded.Transform(_data).GetColumn<float[]>("logits"));

        string unknown = Assert.Throws<InvalidModelException>(() => _context.Transforms.ScoreCompressedModel(Named("h")).Fit(_data)).Message;
        Assert.Contains("'h', only logits, e, g", unknown, StringComparison.Ordinal);
        var features = new PqScoringEstimator.Options { Task = ImageTask.Featurizer, InputColumnName = "Image", ModelFile = file };
        Assert.Contains("ModelOutputs", Assert.Throws<InvalidModelException>(() => _context.Transforms.ScoreCompressedModel(features).Fit(_data)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _context.Transforms.ScoreCompressedModel(Named()));
    }

    [Fact]
    public void A_network_with_a_foreign_operator_is_compressed_and_scored_by_ONNX_Runtime()
    {
        string file = TestNetwork.Graph().Save(_folder);
        byte[] bytes = File.ReadAllBytes(file);
        for (int i; (i = bytes.AsSpan().IndexOf("Relu"u8)) >= 0;)
            "Atan"u8.CopyTo(bytes.AsSpan(i)); // an operator that has no kernel here, with a name as long
        File.WriteAllBytes(file, bytes);
        var log = new List<string>();
        _context.Log += (_, e) => log.Add(e.RawMessage);
        using PqCompressionTransformer model = _context.Transforms.CompressModel(
            new PqCompressionEstimator.Options { InputColumnName = "Image", ModelFile = file, Compression = new() { Codewords = 16, Threads = 1 } }).Fit(_data);
        Assert.Contains("no kernels here for Atan", model.Engine, StringComparison.Ordinal);
        Assert.Contains(log, l => l.Contains("Scored by ONNX Runtime", StringComparison.Ordinal));
        Assert.Contains(model.Report!.Layers, l => l.Plan.IsQuantized);
        float[][] scores = [.. model.Transform(_data).GetColumn<float[]>("Score")];
        Assert.All(scores, s => Assert.Equal(1, s.Sum(), 1e-5f));
        using var engine = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(model);
        Assert.Equal(scores[7], engine.Predict(_rows[7]).Score);
        ITransformer loaded = SaveAndLoad(model);
        Assert.Equal(scores, loaded.Transform(_data).GetColumn<float[]>("Score"));
        using PqCompressionTransformer dense = _context.Transforms.ScoreCompressedModel("Score", "Image", file).Fit(_data);
        Assert.InRange(dense.Transform(_data).GetColumn<uint>("PredictedLabel").Zip(model.Transform(_data).GetColumn<uint>("PredictedLabel")).Count(p => p.First == p.Second), 40, 60);
    }

    private ITransformer SaveAndLoad(ITransformer model)
    {
        using var stream = new MemoryStream();
        _context.Model.Save(model, _data.Schema, stream);
        return new MLContext().Model.Load(stream, out _);
    }
}
