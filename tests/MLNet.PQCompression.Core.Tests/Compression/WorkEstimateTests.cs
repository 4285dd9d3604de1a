using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class WorkEstimateTests
{
    private static readonly ModelGraph Network = TestNetworks.Residual(width: 32);

    [Fact]
    public void Evaluation_and_reading_grow_with_the_images_and_solving_and_search_do_not()
    {
        (Work few, Work many) = (Of(new(), 100), Of(new(), 200));
        Assert.Equal(2, many[WorkKind.Evaluation] / few[WorkKind.Evaluation], 6);
        Assert.Equal(2, many[WorkKind.Reading] / few[WorkKind.Reading], 6);
        Assert.Equal(few[WorkKind.Solving], many[WorkKind.Solving]);
        Assert.Equal(few[WorkKind.Search], many[WorkKind.Search]);
        Assert.Equal(0, few[WorkKind.Distillation]);
    }

    [Fact]
    public void A_method_has_the_work_that_it_does()
    {
        Work plain = Of(new() { Method = CompressionMethod.Plain }, 100), paper = Of(new() { Method = CompressionMethod.Paper }, 100);
        Assert.Equal((0, 0), (plain[WorkKind.Statistics], plain[WorkKind.Solving]));
        Assert.True(paper[WorkKind.Statistics] > 0 && paper[WorkKind.Search] == plain[WorkKind.Search]);
        DistillationOptions steps = DistillationOptions.Paper with { LayerSteps = 10, Epochs = 0 };
        Work layered = Of(new() { Distillation = steps }, 100), both = Of(new() { Distillation = steps with { Epochs = 2 } }, 100);
        Assert.Equal(3, layered[WorkKind.Distillation] / (4 * 10 * 128 * Estimate(new(), 1).PassOfImage), 6); // Three layers are quantized.
        Assert.True(both[WorkKind.Distillation] > layered[WorkKind.Distillation]);
    }

    [Fact]
    public void Multiplications_of_a_pass_are_those_of_the_layers_and_something_for_each_value()
    {
        // At 8×8: a 3×3 convolution of 3 into 32 channels and two of 32 into 32, and a classifier of 12.
        double products = 64.0 * 9 * 32 * (3 + 32 + 32) + 32 * 12;
        Assert.InRange(Estimate(new(), 1).PassOfImage / products, 1, 1.6);
    }

    private static Work Of(CompressionOptions options, int samples)
    {
        WorkEstimate work = Estimate(options, samples);
        return work.Reading + work.AfterReading;
    }

    private static WorkEstimate Estimate(CompressionOptions options, int samples) =>
        WorkEstimate.OfCompression(Network, CompressionPlan.Create(LayerForms.Normalize(Network), options), options, samples, samples, new(3, 8, 8), null);
}
