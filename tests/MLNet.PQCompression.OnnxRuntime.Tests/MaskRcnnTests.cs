using System.Diagnostics;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Coco;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests;
using MLNet.PQCompression.Tests.Compression;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>
/// torchvision's Mask R-CNN, compressed through its real proposals: a small one that was trained, and maskrcnn_resnet50_fpn with random weights, which needs Debian's python3-torchvision.
/// Run by <c>dotnet test -c Release -p:RunSettingsFilePath= tests/MLNet.PQCompression.OnnxRuntime.Tests --filter "FullyQualifiedName~MaskRcnnTests"</c>.
/// </summary>
public sealed class MaskRcnnTests
{
    /// <summary>The paper's 6.65 MB of 170.</summary>
    private const double PaperMegabytes = 6.65;

    private static readonly OnnxRuntimeEngine Engine = new();

    [SkippableFact]
    public void The_plan_takes_each_weight_once_and_its_readers_together()
    {
        ModelGraph teacher = LayerForms.Normalize(OnnxReader.Read(SharedData.Require("maskrcnn/maskrcnn-scenes.onnx")));
        CompressionPlan plan = CompressionPlan.Create(teacher, new());
        Assert.Equal(plan.Layers.Length, plan.Layers.Select(l => l.Weight).Distinct().Count());
        Assert.All(plan.Layers.Where(l => l.Weight.StartsWith("rpn.head", StringComparison.Ordinal)), l => Assert.Equal((5, true), (l.Readers.Length, l.IsQuantized)));
        Assert.True(plan.Layers.Single(l => l.Weight.Contains("conv5_mask", StringComparison.Ordinal)).IsQuantized);
        Assert.All(plan.Layers.Where(l => l.Weight.Contains("fc6", StringComparison.Ordinal) || l.Weight.Contains("fc7", StringComparison.Ordinal)), l => Assert.Equal((8, "box head"), (l.BlockSize, l.Reason)));
        Assert.Equal(PaperAccounting.Of(teacher).Total, plan.DenseBytes);
    }

    [SkippableFact]
    [Trait("Category", "Slow")]
    public void The_trained_one_keeps_its_precision()
    {
        ModelGraph teacher = OnnxReader.Read(SharedData.Require("maskrcnn/maskrcnn-scenes.onnx"));
        using ImageSource images = ImageSource.Open(SharedData.Require("maskrcnn/scenes-calib-300.zip"));
        CompressionResult result = ModelCompressor.Compress(teacher, new ImageSampleSource(images, Preprocessing), new() { ForeignRuntime = Engine });
        (double boxes, double masks) = Precision(result.Student);
        Assert.True(boxes >= 0.93 * 0.802 && masks >= 0.93 * 0.674, FormattableString.Invariant($"box AP {boxes:F4}, mask AP {masks:F4}"));
        Assert.True(result.Report.PaperBytes * 10 < result.Report.DenseBytes, $"{result.Report.PaperBytes} of {result.Report.DenseBytes} bytes");
    }

    [SkippableFact]
    [Trait("Category", "Slow")]
    public void The_one_of_ResNet_50_has_the_paper_s_size()
    {
        string model = Path.Combine(Path.GetTempPath(), "maskrcnn_resnet50_fpn.onnx");
        if (!File.Exists(model))
            Skip.IfNot(Export(model), "python3 with torch and torchvision is absent");
        ModelGraph teacher = OnnxReader.Read(model);
        CompressionResult result = ModelCompressor.Compress(teacher, new TestNetworks.Images(8, size: 320), new() { ForeignRuntime = Engine, Views = 1 });
        Assert.InRange(result.Report.PaperBytes / (double)(1 << 20), 0, PaperMegabytes);
        using var stream = new MemoryStream();
        OnnxWriter.Write(result.Student, stream);
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(stream.ToArray());
        Assert.Equal(["boxes", "labels", "scores", "masks"], session.OutputNames);
        using IScoringSession scoring = Engine.CreateSession(result.Student, 0);
        Assert.NotEqual(0, scoring.Run(new(new(1, 3, 320, 320), new float[3 * 320 * 320]))["scores"].Shape[0]);
    }

    private static ImagePreprocessing Preprocessing { get; } = new() { Width = 128, Height = 128, Mean = [0, 0, 0], Std = [1, 1, 1] };

    private static (double Boxes, double Masks) Precision(ModelGraph model)
    {
        CocoAnnotations annotations = CocoAnnotations.Read(SharedData.Require("maskrcnn/scenes-test-300.json"));
        Dictionary<string, long> ids = annotations.Pictures.Values.ToDictionary(p => p.FileName, p => p.Id);
        using ImageSource images = ImageSource.Open(SharedData.Require("maskrcnn/scenes-test-300.zip"));
        using var session = new OnnxRuntimeSession(model, 1);
        var found = new List<DetectedObject>();
        foreach (Data.SampleBatch batch in new ImageSampleSource(images, Preprocessing).Read(1))
        {
            IReadOnlyDictionary<string, Activation> outputs = session.Run(new(new(1, 3, 128, 128), batch.Data[..(3 * 128 * 128)].ToArray()));
            float[] boxes = outputs["boxes"].Span.ToArray(), scores = outputs["scores"].Span.ToArray(), masks = outputs["masks"].Span.ToArray();
            long[] labels = ((ForeignValue)outputs["labels"]).ToIntegers()!;
            for (int i = 0; i < labels.Length; i++)
                found.Add(new(ids[Path.GetFileName(batch.Names[0])], labels[i], scores[i], new(boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]),
                    RunLengthMask.Above(masks.AsSpan(i * 128 * 128, 128 * 128), 128, 128, 0.5f)));
        }
        return (AveragePrecision.Of(annotations.Objects, found).Mean, AveragePrecision.Of(annotations.Objects, found, OverlapOf.Masks).Mean);
    }

    private static bool Export(string path)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "export-maskrcnn.py");
        try
        {
            using Process? python = Process.Start("/usr/bin/python3", [script, path]);
            python!.WaitForExit();
            return python.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
