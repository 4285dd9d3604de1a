using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.ML;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Tests;

/// <summary>The pool that web applications score with.</summary>
public sealed class PredictionEnginePoolTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_pool_scores_a_saved_pipeline_from_many_threads()
    {
        var context = new MLContext(1);
        PixelRow[] rows = PixelRow.Make(64);
        IDataView data = context.Data.LoadFromEnumerable(rows);
        using PqCompressionTransformer model = context.Transforms.ScoreCompressedModel("Score", "Image", TestNetwork.Graph().Save(_folder)).Fit(data);
        context.Model.Save(model, data.Schema, _folder.File("model.zip"));
        float[][] expected = [.. model.Transform(data).GetColumn<float[]>("Score")];

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddPredictionEnginePool<PixelRow, ScoreRow>().FromFile("pq", _folder.File("model.zip"), watchForChanges: false);
        using ServiceProvider provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredService<PredictionEnginePool<PixelRow, ScoreRow>>();
        Parallel.For(0, 4 * rows.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => Assert.Equal(expected[i % rows.Length], pool.Predict("pq", rows[i % rows.Length]).Score));
    }
}
