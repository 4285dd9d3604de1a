using System.Diagnostics;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Tests.Distillation;
using TorchSharp;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>What may go wrong around native code is an exception with a type, and the process lives.</summary>
public sealed class SafetyTests : TorchTest
{
    /// <summary>What the backend's assembly must not call: numbers converted in passing may be finalized during the call, and the others end the process where operands do not fit.</summary>
    private static readonly (string Type, string Member)[] Forbidden =
    [
        ("Scalar", "op_Implicit"), ("torch", "matmul"), ("Tensor", "matmul"), ("Tensor", "cummax"), ("Tensor", "cummin"), ("autograd", "grad"), ("Tensor", "op_Addition"), ("Tensor", "op_Subtraction"),
        ("Tensor", "op_Multiply"), ("Tensor", "op_Division"), ("Tensor", "op_UnaryNegation"), ("Tensor", "baddbmm"), ("torch", "baddbmm"),
        ("Tensor", "add of a tensor alone"), ("Tensor", "add_ of a tensor alone"),
    ];

    [Fact]
    public void The_assembly_calls_nothing_of_TorchSharp_that_is_unsafe()
    {
        using var file = new PEReader(File.OpenRead(typeof(TorchBackend).Assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        var called = new List<(string Type, string Member)>();
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind == HandleKind.TypeReference)
                called.Add((metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name), metadata.GetString(member.Name) + (IsOfOneTensor(metadata, member) ? " of a tensor alone" : "")));
        }
        Assert.Contains(("Tensor", "bmm"), called); // the list is not empty for another reason
        Assert.Contains(("ScalarExtensionMethods", "ToScalar"), called);
        Assert.Empty(called.Intersect(Forbidden));
    }

    /// <summary>Whether a method is add or add_ and takes one tensor and nothing else: it makes the factor of what is added in passing.</summary>
    private static bool IsOfOneTensor(MetadataReader metadata, MemberReference member)
    {
        if (metadata.GetString(member.Name) is not ("add" or "add_"))
            return false;
        BlobReader signature = metadata.GetBlobReader(member.Signature);
        signature.ReadSignatureHeader();
        int parameters = signature.ReadCompressedInteger();
        string Type() => signature.ReadSignatureTypeCode() == SignatureTypeCode.TypeHandle && signature.ReadTypeHandle() is { Kind: HandleKind.TypeReference } type
            ? metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)type).Name) : "";
        Assert.Equal("Tensor", Type());
        return parameters == 1 && Type() == "Tensor";
    }

    [SkippableFact]
    public void Inputs_that_do_not_fit_are_refused_before_libtorch_sees_them()
    {
        ModelGraph teacher = TinyNetwork.Teacher;
        Node classifier = teacher.Nodes[^1], convolution = teacher.Nodes[0];
        using INodeEvaluator evaluator = Torch.Evaluate(teacher);
        Assert.Contains("summed dimensions", Assert.Throws<InvalidModelException>(() => evaluator.Evaluate([classifier], _ => new(new(2, 15), new float[30]), _ => true)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidModelException>(() => evaluator.Evaluate([convolution], _ => new(new(2, 4, 12, 12), new float[2 * 4 * 144]), _ => true));
        Assert.Throws<InvalidModelException>(() => Torch.Create(teacher, 3, 11, 12, TrainingSetup.Frozen));
        Assert.Throws<ArgumentException>(() => Torch.Create(teacher, 3, 12, 12, new() { Trainable = ["nothing"] }));
        var mixed = new ModelGraph("mixed", teacher.Input, [new("y", default)], [new("y", new Concat(0), ["image", "image"], "y")], new Dictionary<string, Initializer>());
        Assert.Equal("y", Assert.Throws<UnsupportedOperatorException>(() => Torch.Create(mixed, 3, 12, 12, TrainingSetup.Frozen)).NodeName);
    }

    [SkippableTheory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cpu:0")]
    [InlineData("")]
    public void A_device_that_is_none_is_refused(string name)
    {
        _ = Torch;
        Assert.Contains("cuda:N", Assert.Throws<ArgumentException>(() => new TorchBackend(new() { Device = name })).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_GPU_that_is_not_there_is_a_typed_exception()
    {
        _ = Torch;
        Skip.If(TorchDevice.HasCuda, "skipped: there is a GPU");
        Assert.Contains("TorchSharp-cuda", Assert.Throws<TorchUnavailableException>(() => new TorchBackend(new() { Device = "cuda" })).Message, StringComparison.Ordinal);
        using var automatic = new TorchBackend();
        Assert.Equal("torch, cpu", automatic.Name);
    }

    [SkippableFact]
    public void Steps_leave_no_tensor_behind() => Flat(rounds: 1, steps: 30, isAlone: false);

    [SkippableFact]
    [Trait("Category", "Slow")]
    public void A_thousand_steps_leave_native_memory_flat() => Flat(rounds: 4, steps: 250, isAlone: true);

    [SkippableFact]
    public void Quantization_leaves_no_tensor_behind()
    {
        _ = Torch;
        void Work()
        {
            var geometry = new LayerGeometry(8, 36, 2, Window.Square(3, 1, 1));
            using IMoments moments = Torch.Moments(geometry, 1);
            moments.Add(new(new(4, 8, 6, 5), GradientCheck.Values(4 * 240, 1)), new(new(4, 8, 6, 5), GradientCheck.Values(4 * 240, 2)), 11, 0, 0);
            OutputStatistics statistics = moments.ToStatistics();
            var objective = new QuadraticObjective(geometry, [.. statistics.Halves[0].Inputs], GradientCheck.Values(8 * 36, 3), [.. Enumerable.Repeat(1f, 8)]);
            OutputAwareQuantizer.Quantize(objective, 9, new OutputAwareOptions { Codewords = 4, Starts = 2 }, Torch);
            using INodeEvaluator evaluator = Torch.Evaluate(TinyNetwork.Teacher);
            evaluator.Evaluate(TinyNetwork.Teacher.Nodes, _ => new(new(2, 3, 12, 12), GradientCheck.Values(2 * 432, 1)), name => name == "logits");
        }

        Work();
        long tensors = torch.Tensor.TotalCount;
        Work();
        Assert.Equal(tensors, torch.Tensor.TotalCount);
    }

    /// <summary>Trains in rounds: no tensor is left, and, where no other test allocates beside it, in one round at least the process does not grow. What is allocated once is no leak.</summary>
    private void Flat(int rounds, int steps, bool isAlone)
    {
        var setup = new TrainingSetup { Trainable = TrainableParameters.All(TinyNetwork.Student), BatchStatistics = true, Optimizer = new AdamOptions() };
        using ITrainingModel model = Torch.Create(TinyNetwork.Student, 3, 12, 12, setup);
        var batch = new TrainingBatch(GradientCheck.Values(4 * 432, 3), 4, new TeacherTarget(GradientCheck.Values(20, 4)));
        var outputs = new float[20];
        long tensors = 0, least = long.MaxValue;
        for (int round = 0; round <= rounds; round++)
        {
            long before = Resident();
            for (int i = 0; i < (round == 0 ? 10 : steps); i++)
            {
                model.ComputeGradients(batch);
                model.Update(1e-4);
                _ = model.Gradient("conv2.weight");
                model.Evaluate(batch.Images, 4, outputs);
            }
            if (round == 0)
                tensors = torch.Tensor.TotalCount;
            else
                least = Math.Min(least, Resident() - before);
        }
        Assert.Equal(tensors, torch.Tensor.TotalCount);
        Assert.True(!isAlone || least < steps << 10, $"at least {least >> 10} KiB more after {steps} steps"); // an image is 1.7 KiB, the gradients of a step 30
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
