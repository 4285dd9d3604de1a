using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Data;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace TorchSharpTraining;

/// <summary>Trains a classifier by cross-entropy: SGD with momentum, a rate that rises for a tenth of the time and falls along a cosine, random crops and flips.</summary>
internal static class Trainer
{
    private const int BatchSize = 32;
    private const double Rate = 0.05;

    /// <summary>Trains a network, and tells the loss after each step.</summary>
    public static void Train(nn.Module<Tensor, Tensor> network, TrainingSet images, int epochs, Action<long, long, float> progress)
    {
        var batches = new BatchStream(images, BatchSize, Augmentation.For(images.Height, images.Width), seed: 1);
        var schedule = new CosineSchedule(0.1);
        long steps = (long)epochs * batches.BatchesPerEpoch, step = 0;
        using var optimizer = optim.SGD(network.parameters(), Rate, momentum: 0.9, weight_decay: 5e-4);
        network.train();
        foreach (DrawnBatch batch in batches.Read(0, steps))
        {
            using DisposeScope scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
                group.LearningRate = Rate * schedule.Factor((double)++step / steps);
            Tensor x = tensor(batch.Images, [batch.Count, images.Channels, images.Height, images.Width]);
            Tensor y = tensor(Array.ConvertAll(batch.Labels, label => (long)label));
            optimizer.zero_grad();
            Tensor loss = F.cross_entropy(network.call(x), y);
            loss.backward();
            optimizer.step();
            progress(step, steps, loss.item<float>());
        }
    }
}
