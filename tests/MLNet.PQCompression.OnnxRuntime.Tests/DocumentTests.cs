using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>Other people's models, read and written back with quantized weights: ONNX Runtime loads them, and their inputs and outputs are the original's.</summary>
public sealed class DocumentTests
{
    public static TheoryData<string, int> Models => new()
    {
        { "models/super_resolution-caffe2.onnx", 3 }, { "models/superres-prepost-op18.onnx", 3 },
        { "models/agllnet-256-tf2onnx.onnx", 92 }, { "models/ch_PP-OCRv4_det_infer.onnx", 40 }, { "models/deeplabv3-mnv2-tf2onnx.onnx", 36 }, { "models/fns-candy.onnx", 12 },
        { "models/mnist-cntk-examples.onnx", 1 }, { "models/road-seg-adas-tf2onnx.onnx", 60 }, { "models/squeezenet-tensor-input.onnx", 24 }, { "models/superres-ext.onnx", 3 },
        { "models/ultraface-RFB-320.onnx", 30 }, { "models/winml-pytorch-cifar-classifier.onnx", 3 }, { "models/yolox_nano.onnx", 60 }, { "models/yunet_n_320.onnx", 25 },
        { "models/yunet_n_dynamic.onnx", 25 }, { "maskrcnn/maskrcnn-scenes.onnx", 20 }, { "cases/21-channels-last-input/nhwc.onnx", 1 }, { "cases/22-exporters-extra-outputs/argmax.onnx", 1 },
        { "cases/22-exporters-extra-outputs/logsoftmax.onnx", 1 }, { "cases/22-exporters-extra-outputs/two_out.onnx", 1 },
        { "cases/23-float16-interface/fp16all.onnx", 1 }, { "cases/26-padding/optA_static.onnx", 1 }, { "cases/27-operators-of-common-convnets/input_transform.onnx", 1 },
        { "cases/27-operators-of-common-convnets/prelu.onnx", 1 },
    };

    [SkippableTheory]
    [Trait("Category", "Slow")]
    [InlineData("models/light_densenet121.onnx", 120)]
    [InlineData("models/light_inception_v1.onnx", 56)]
    [InlineData("models/light_resnet50.onnx", 52)]
    public void Large_quantized_documents_keep_their_interface(string file, int leastLayers) => Quantized_documents_keep_their_interface(file, leastLayers);

    [SkippableTheory]
    [InlineData("models/light_densenet121.onnx", 8_000_000)]
    [InlineData("models/light_inception_v1.onnx", 6_900_000)]
    [InlineData("models/light_resnet50.onnx", 25_000_000)]
    public void Weights_that_the_document_makes_by_ConstantOfShape_are_read(string file, int leastValues)
    {
        ModelGraph graph = OnnxReader.Read(SharedData.Require(file));
        Assert.Empty(graph.ForeignNodes);
        Assert.True(graph.Initializers.Values.Sum(i => i.Shape.Count) > leastValues);
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public void Quantized_documents_keep_their_interface(string file, int leastLayers)
    {
        string path = SharedData.Require(file);
        ModelGraph student = Quantize(OnnxReader.Read(path));
        Assert.True(student.Initializers.Values.Count(i => i is QuantizedTensor) >= leastLayers, $"{student.Initializers.Values.Count(i => i is QuantizedTensor)} layers");
        byte[] written = Write(student, new());
        using SessionOptions options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.RegisterOrtExtensions();
        Assert.Equal(Interface(File.ReadAllBytes(path)), Interface(written));
        using (new InferenceSession(written, options)) // runs, though the original may be of an operator set that ONNX Runtime refuses
            Assert.True(written.Length < student.Initializers.Values.Sum(i => sizeof(float) * i.Shape.Count));
        ModelGraph again = OnnxReader.Read(written, "written");
        Assert.Equal(student.Initializers.Where(i => i.Value is QuantizedTensor).Select(i => i.Value.Shape.ToString()), again.Initializers.Where(i => i.Value is QuantizedTensor).Select(i => i.Value.Shape.ToString()));
        Assert.Equal(student.ForeignNodes.Select(n => n.Operator.OnnxName), again.ForeignNodes.Select(n => n.Operator.OnnxName));
    }

    [SkippableTheory]
    [InlineData("models/mnist-cntk-examples.onnx")]
    [InlineData("models/yunet_n_320.onnx")]
    [InlineData("models/ultraface-RFB-320.onnx")]
    [InlineData("models/road-seg-adas-tf2onnx.onnx")]
    [InlineData("cases/23-float16-interface/fp16all.onnx")]
    public void Codes_and_decoded_weights_compute_the_same(string file)
    {
        ModelGraph student = Quantize(OnnxReader.Read(SharedData.Require(file)));
        using var coded = new InferenceSession(Write(student, new()));
        using var dense = new InferenceSession(Write(student, new() { Dense = true, KeepNames = true, KeepBatchNormStatistics = true }));
        using var options = new RunOptions();
        using OrtValue input = Ramp(coded.InputMetadata.Values.Single());
        string name = coded.OutputNames.First(n => coded.OutputMetadata[n].IsTensor && coded.OutputMetadata[n].ElementType != typeof(string));
        using IDisposableReadOnlyCollection<OrtValue> a = coded.Run(options, coded.InputNames, [input], [name]), b = dense.Run(options, dense.InputNames, [input], [name]);
        (double[] x, double[] y) = (Values(a[0]), Values(b[0]));
        double scale = y.Max(Math.Abs) + 1e-6;
        Assert.All(x.Zip(y), pair => Assert.InRange(Math.Abs(pair.First - pair.Second) / scale, 0, 5e-3));
    }

    /// <summary>The layers of the plan with some codebook and some codes.</summary>
    private static ModelGraph Quantize(ModelGraph graph)
    {
        graph = LayerForms.Normalize(graph);
        CompressionPlan plan = CompressionPlan.Create(graph, new());
        return graph.WithInitializers(plan.Layers.Where(l => l.IsQuantized).Select(l =>
        {
            float[] values = graph.Initializers[l.Weight].ToDense().ToArray();
            float[] codebook = [.. values.Take(l.Codewords * l.BlockSize).Select(v => (float)(Half)v)];
            return KeyValuePair.Create(l.Weight, (Initializer)l.Tensor(codebook, [.. Enumerable.Range(0, (int)l.Blocks).Select(i => (ushort)(i % l.Codewords))]));
        }));
    }

    private static byte[] Write(ModelGraph graph, OnnxWriteOptions options)
    {
        using var stream = new MemoryStream();
        OnnxWriter.Write(graph, stream, options);
        return stream.ToArray();
    }

    /// <summary>What a file declares of its inputs, weights aside, and its outputs.</summary>
    private static ValueInfoProto[] Interface(byte[] file)
    {
        GraphProto graph = ModelProto.Parser.ParseFrom(file).Graph;
        return [.. graph.Input.Where(i => graph.Initializer.All(t => t.Name != i.Name)), .. graph.Output];
    }

    private static OrtValue Ramp(NodeMetadata input)
    {
        long[] shape = [.. input.Dimensions.Select((d, i) => d > 0 ? d : i == 0 ? 1L : 64)];
        float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (p, d) => p * d)).Select(i => MathF.Sin(i * 0.37f))];
        return input.ElementType == typeof(Float16) ? OrtValue.CreateTensorValueFromMemory(values.Select(v => (Float16)v).ToArray(), shape) : OrtValue.CreateTensorValueFromMemory(values, shape);
    }

    private static double[] Values(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float16 => [.. value.GetTensorDataAsSpan<Float16>().ToArray().Select(v => (double)(float)v)],
        _ => [.. value.GetTensorDataAsSpan<float>().ToArray().Select(v => (double)v)],
    };
}
