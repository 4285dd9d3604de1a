// A web service that scores pictures with a compressed network, and a page that shows it beside the uncompressed one.
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.RateLimiting;
using ScoringWeb;

var builder = WebApplication.CreateBuilder(args);
ScoringOptions options = builder.Configuration.GetSection("Scoring").Get<ScoringOptions>() ?? new();

builder.Services.AddSingleton(options);
builder.Services.AddSingleton<ModelPair>();
builder.Services.AddHostedService<ModelPreparation>();
builder.Services.AddOpenApi();
builder.Services.AddProblemDetails();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = options.MaxUploadBytes);
builder.Services.Configure<FormOptions>(form => form.MultipartBodyLengthLimit = options.MaxUploadBytes);

// Scoring takes processor time: a few calls at once, some that wait, and a clear answer for the rest.
builder.Services.AddRateLimiter(limiter =>
{
    limiter.RejectionStatusCode = StatusCodes.Status503ServiceUnavailable;
    limiter.AddConcurrencyLimiter("scoring", limit =>
        (limit.PermitLimit, limit.QueueLimit, limit.QueueProcessingOrder) = (options.ConcurrentCalls, options.WaitingCalls, QueueProcessingOrder.OldestFirst));
});

WebApplication app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseDefaultFiles();
app.UseStaticFiles();
app.UseRateLimiter();
app.MapOpenApi();
app.MapScoring();
app.Run();

/// <summary>Visible to the tests, which start the application in their process.</summary>
public partial class Program;
